// Signs with nothing but the .NET that PowerShell includes. The module compiles this file when it is imported. It is
// C# 5, so that Windows PowerShell 5.1 can compile it too.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Security;
using System.Security.Cryptography;
using System.Text;

namespace Cortexkey {
  /// <summary>The Security Level of a key. The key itself does not show it.</summary>
  public enum Level { Standard = 1, Advanced = 2 }

  /// <summary>
  /// Signs requests with one key, which Dispose wipes. Any number of threads may use a signer at once. Errors do not
  /// contain the key.
  /// </summary>
  public sealed class Signer : IDisposable {
    private const int KeyBytesMax = 256;
    private const int NonceLength = 64;
    private const string LettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static readonly DateTime Epoch = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly ulong keyId;
    private readonly Level level;
    private readonly object keyLock = new object();
    private byte[] key;

    /// <summary>Creates a signer for a key of 1 to 256 characters of visible ASCII.</summary>
    public Signer(ulong keyId, SecureString key, Level level) {
      if (keyId == 0) throw new ArgumentException("the key id is 0; take the number in the ID column");
      if (!Enum.IsDefined(typeof(Level), level)) throw new ArgumentException("the level is neither Standard nor Advanced");
      if (key == null) throw new ArgumentNullException("key");
      this.keyId = keyId;
      this.level = level;
      this.key = Bytes(key);
    }

    /// <summary>The key's id.</summary>
    public ulong KeyId { get { return keyId; } }

    /// <summary>The key's Security Level.</summary>
    public Level Level { get { return level; } }

    /// <summary>Returns headers with a new nonce and the current time. A Standard key has neither.</summary>
    public Dictionary<string, string> Headers() {
      return HeadersAt(NewNonce(), (long)(DateTime.UtcNow - Epoch).TotalMilliseconds);
    }

    /// <summary>
    /// Returns headers with the given nonce (64 letters and digits) and time (Unix time in milliseconds), for tests.
    /// Never send two requests with the same nonce. With a Standard key, both are ignored.
    /// </summary>
    public Dictionary<string, string> HeadersAt(string nonce, long timestampMs) {
      var headers = new Dictionary<string, string>();
      headers["x-xdr-auth-id"] = keyId.ToString(System.Globalization.CultureInfo.InvariantCulture);
      lock (keyLock) {
        if (key == null) throw new ObjectDisposedException("Signer");
        if (level == Level.Standard) {
          headers["Authorization"] = Encoding.ASCII.GetString(key);
          return headers;
        }
        if (!IsNonce(nonce)) throw new ArgumentException("the nonce is not 64 characters of A-Z, a-z and 0-9");
        if (timestampMs < 1000000000000 || timestampMs > 9999999999999) {
          throw new ArgumentException("the time is not 13 digits; give Unix time in milliseconds, not in seconds");
        }
        var timestamp = timestampMs.ToString(System.Globalization.CultureInfo.InvariantCulture);
        headers["Authorization"] = Digest(nonce + timestamp);
        headers["x-xdr-nonce"] = nonce;
        headers["x-xdr-timestamp"] = timestamp;
        return headers;
      }
    }

    /// <summary>Wipes the key. Later calls throw ObjectDisposedException.</summary>
    public void Dispose() {
      lock (keyLock) {
        if (key == null) return;
        Array.Clear(key, 0, key.Length);
        key = null;
      }
    }

    /// <summary>Returns the key's id and level, never the key.</summary>
    public override string ToString() {
      return "Signer of key " + keyId.ToString(System.Globalization.CultureInfo.InvariantCulture) + " (" + level + ")";
    }

    // SHA-256 of the key followed by `rest`, in lower-case hexadecimal digits.
    private string Digest(string rest) {
      var text = new byte[key.Length + rest.Length];
      Buffer.BlockCopy(key, 0, text, 0, key.Length);
      Encoding.ASCII.GetBytes(rest, 0, rest.Length, text, key.Length);
      try {
        using (var sha256 = SHA256.Create()) {
          return BitConverter.ToString(sha256.ComputeHash(text)).Replace("-", "").ToLowerInvariant();
        }
      } finally {
        Array.Clear(text, 0, text.Length);
      }
    }

    // Copies a key of 1 to 256 bytes of visible ASCII.
    private static byte[] Bytes(SecureString key) {
      if (key.Length == 0 || key.Length > KeyBytesMax) throw InvalidKey();
      var bytes = new byte[key.Length];
      var memory = Marshal.SecureStringToGlobalAllocUnicode(key);
      try {
        for (var i = 0; i < bytes.Length; i++) {
          var character = (ushort)Marshal.ReadInt16(memory, 2 * i);
          if (character < 0x21 || character > 0x7e) {
            Array.Clear(bytes, 0, bytes.Length);
            throw InvalidKey();
          }
          bytes[i] = (byte)character;
        }
      } finally {
        Marshal.ZeroFreeGlobalAllocUnicode(memory);
      }
      return bytes;
    }

    private static ArgumentException InvalidKey() {
      return new ArgumentException("the key is not 1 to 256 bytes of visible ASCII; remove surrounding spaces and line endings");
    }

    private static bool IsNonce(string nonce) {
      if (nonce == null || nonce.Length != NonceLength) return false;
      foreach (var character in nonce) {
        if (LettersAndDigits.IndexOf(character) < 0) return false;
      }
      return true;
    }

    private static string NewNonce() {
      var nonce = new StringBuilder(NonceLength);
      var bytes = new byte[NonceLength + 16];
      // Bytes below this limit map evenly to the characters; the others would favour some.
      var used = 256 - 256 % LettersAndDigits.Length;
      using (var random = RandomNumberGenerator.Create()) {
        while (nonce.Length < NonceLength) {
          random.GetBytes(bytes);
          foreach (var one in bytes) {
            if (one < used && nonce.Length < NonceLength) nonce.Append(LettersAndDigits[one % LettersAndDigits.Length]);
          }
        }
      }
      return nonce.ToString();
    }
  }
}
