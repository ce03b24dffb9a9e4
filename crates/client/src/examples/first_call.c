/* First API call with a key of Cortex, of either level.
 *
 *   cc first_call.c $(pkg-config --cflags --libs cortexkey libcurl) -o first_call
 *
 * The key comes from your secret store as CORTEXKEY_API_KEY, never from a file like this.
 */
#include <cortexkey.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(const char *name) {
  const char *value = getenv(name);
  if (value != NULL && *value != '\0') return value;
  fprintf(stderr, "%s is not set\n", name);
  exit(2);
}

int main(void) {
  const char *key = setting("CORTEXKEY_API_KEY");
  const uint64_t key_id = strtoull(setting("CORTEXKEY_API_KEY_ID"), NULL, 10);
  const char *type = setting("CORTEXKEY_API_KEY_TYPE");
  const cxk_level level =
      strcmp(type, "standard") == 0 ? CXK_LEVEL_STANDARD : CXK_LEVEL_ADVANCED;
  char url[512];
  const int length =
      snprintf(url, sizeof url, "%s/api_keys/validate/", setting("CORTEXKEY_API_URL"));
  if (length < 0 || (size_t)length >= sizeof url) return 2;

  cxk_signer *signer = NULL;
  cxk_header_lines lines; /* new for every attempt: each request is accepted once */
  cxk_status status = cxk_signer_new(key_id, level, key, strlen(key), &signer);
  if (status == CXK_OK) status = cxk_signer_header_lines(signer, &lines);
  cxk_signer_free(signer);
  if (status != CXK_OK) {
    fprintf(stderr, "cannot sign: %s\n", cxk_status_message(status));
    return 2;
  }

  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  for (uint32_t i = 0; i < lines.count; i++)
    headers = curl_slist_append(headers, lines.line[i]);
  cxk_wipe(&lines, sizeof lines);

  CURL *curl = curl_easy_init();
  if (curl == NULL) return 2;
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "{}");
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
  const CURLcode sent = curl_easy_perform(curl); /* the answer goes to standard output */
  long http_status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http_status);
  putchar('\n');
  if (sent != CURLE_OK) fprintf(stderr, "%s\n", curl_easy_strerror(sent));
  curl_easy_cleanup(curl);
  curl_slist_free_all(headers);
  return sent == CURLE_OK && http_status == 200 ? 0 : 1;
}
