// The module's signer under another .NET: `Answers.exe vectors/auth.tsv` checks the known answers, and that
// invalid values are errors.
using System;
using System.Collections.Generic;
using System.IO;
using System.Security;
using System.Security.Cryptography;
using System.Text;
using Cortexkey;

static class Answers {
  static readonly string Nonce = new string('0', 64);
  static int failures;

  static int Main(string[] arguments) {
    var answers = 0;
    foreach (var line in File.ReadAllLines(arguments[0])) {
      var fields = line.Split('\t');
      if (fields[0] != "sign") continue;
      answers++;
      var isAdvanced = fields[3] == "advanced";
      using (var signer = new Signer(ulong.Parse(fields[2]), Secure(fields[4]), isAdvanced ? Level.Advanced : Level.Standard)) {
        var headers = isAdvanced ? signer.HeadersAt(fields[5], long.Parse(fields[6])) : signer.Headers();
        Expect(fields[1], headers["Authorization"] == fields[7] && headers["x-xdr-auth-id"] == fields[2]);
        Expect(fields[1] + ": headers", headers.Count == (isAdvanced ? 4 : 2));
      }
    }
    Expect("there are known answers", answers > 10);
    NewHeaders();
    Misuse();
    Console.WriteLine("{0} known answers, {1} failures", answers, failures);
    return failures == 0 ? 0 : 1;
  }

  static void NewHeaders() {
    var key = new string('k', 128);
    var signer = new Signer(7, Secure(key), Level.Advanced);
    var nonces = new HashSet<string>();
    var characters = new HashSet<char>();
    for (var round = 0; round < 1000; round++) {
      var headers = signer.Headers();
      nonces.Add(headers["x-xdr-nonce"]);
      foreach (var character in headers["x-xdr-nonce"]) characters.Add(character);
      using (var sha256 = SHA256.Create()) {
        var text = Encoding.ASCII.GetBytes(key + headers["x-xdr-nonce"] + headers["x-xdr-timestamp"]);
        var digest = BitConverter.ToString(sha256.ComputeHash(text)).Replace("-", "").ToLowerInvariant();
        Expect("a new digest", headers["Authorization"] == digest);
      }
    }
    Expect("no nonce comes twice", nonces.Count == 1000);
    Expect("62 characters", characters.Count == 62);
  }

  static void Misuse() {
    var key = new string('k', 128);
    Fails("id 0", () => new Signer(0, Secure(key), Level.Advanced));
    Fails("another level", () => new Signer(7, Secure(key), (Level)3));
    foreach (var bad in new[] { "", key + "\n", key + "\0", "\u00e4" + key, new string('k', 257) }) {
      Fails("a bad key", () => new Signer(7, Secure(bad), Level.Advanced));
    }
    var signer = new Signer(7, Secure(key), Level.Advanced);
    foreach (var nonce in new[] { null, "", Nonce.Substring(1), Nonce + "0", "-" + Nonce.Substring(1) }) {
      Fails("a bad nonce", () => signer.HeadersAt(nonce, 1700000000000));
    }
    foreach (var time in new[] { 0L, 1700000000L, -1L, 10000000000000L }) {
      Fails("a bad time", () => signer.HeadersAt(Nonce, time));
    }
    Expect("no key is shown", !signer.ToString().Contains("kk"));
    signer.Dispose();
    signer.Dispose();
    Fails("a wiped signer", () => signer.Headers());
  }

  static SecureString Secure(string text) {
    var secure = new SecureString();
    foreach (var character in text) secure.AppendChar(character);
    return secure;
  }

  static void Expect(string what, bool holds) {
    if (holds) return;
    failures++;
    Console.WriteLine("FAILED: " + what);
  }

  static void Fails(string what, Action call) {
    try {
      call();
    } catch (Exception error) {
      Expect(what + ": no key in the error", !error.ToString().Contains("kkkk"));
      return;
    }
    Expect(what + " is refused", false);
  }
}
