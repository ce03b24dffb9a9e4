/* POSTs {} with the headers of a key: sign_curl URL KEY-ID standard|advanced
 * The key is read from the environment variable CORTEXKEY_API_KEY, never from an argument.
 *   cc sign_curl.c $(pkg-config --cflags --libs cortexkey libcurl) -o sign_curl */
#include <cortexkey.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  const char *key = getenv("CORTEXKEY_API_KEY");
  if (argc != 4 || key == NULL) {
    fprintf(stderr, "usage: CORTEXKEY_API_KEY=... sign_curl URL KEY-ID standard|advanced\n");
    return 2;
  }
  const cxk_level level = strcmp(argv[3], "advanced") == 0   ? CXK_LEVEL_ADVANCED
                          : strcmp(argv[3], "standard") == 0 ? CXK_LEVEL_STANDARD : 0;
  cxk_signer *signer = NULL;
  cxk_header_lines lines;
  cxk_status status = cxk_signer_new(strtoull(argv[2], NULL, 10), level, key, strlen(key), &signer);
  if (status == CXK_OK) status = cxk_signer_header_lines(signer, &lines);
  cxk_signer_free(signer);
  if (status != CXK_OK) {
    fprintf(stderr, "cannot sign: %s\n", cxk_status_message(status));
    return 2;
  }
  struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
  for (uint32_t i = 0; i < lines.count; i++) list = curl_slist_append(list, lines.line[i]);
  cxk_wipe(&lines, sizeof lines);
  long http_status = 0;
  CURL *curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "{}");
  const CURLcode sent = curl_easy_perform(curl); /* the body goes to standard output */
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_status);
  printf("\nHTTP %ld %s\n", http_status, sent == CURLE_OK ? "" : curl_easy_strerror(sent));
  return sent == CURLE_OK && http_status < 300 ? 0 : 1;
}
