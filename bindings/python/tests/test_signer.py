"""Known answers, misuse, threads and forks. `CORTEXKEY_VECTORS` names `vectors/auth.json`."""

import copy
import doctest
import hashlib
import json
import os
import pickle
import threading
import time
import unittest

from cortexkey import CortexkeyError, Level, Signer, _signer

KEY = "k" * 128
NONCE = "0" * 64


def known_answers():
    with open(os.environ["CORTEXKEY_VECTORS"], encoding="utf-8") as file:
        return json.load(file)["signing"]


class KnownAnswers(unittest.TestCase):
    def test_every_signing_vector_holds(self):
        levels = set()
        for case in known_answers():
            with self.subTest(case["name"]):
                signer = Signer(case["key_id"], case["key"], level=case["level"])
                levels.add(case["level"])
                is_advanced = case["level"] == "advanced"
                expected = {"x-xdr-auth-id": str(case["key_id"]), "Authorization": case["authorization"]}
                if is_advanced:
                    expected["x-xdr-nonce"] = case["nonce"]
                    expected["x-xdr-timestamp"] = str(case["timestamp_ms"])
                    self.assertEqual(signer.headers_at(case["nonce"], case["timestamp_ms"]), expected)
                else:
                    self.assertEqual(signer.headers(), expected)
        self.assertEqual(levels, {"standard", "advanced"})

    def test_new_headers_are_what_hashlib_says_and_never_the_same(self):
        signer, nonces = Signer(7, KEY), set()
        before = time.time_ns() // 1_000_000
        for _ in range(1000):
            headers = signer.headers()
            nonce, timestamp = headers["x-xdr-nonce"], headers["x-xdr-timestamp"]
            digest = hashlib.sha256((KEY + nonce + timestamp).encode()).hexdigest()
            self.assertEqual(headers["Authorization"], digest)
            self.assertRegex(nonce, r"\A[A-Za-z0-9]{64}\Z")
            self.assertLessEqual(before - 1, int(timestamp))
            nonces.add(nonce)
        self.assertEqual(len(nonces), 1000)


class Misuse(unittest.TestCase):
    def fails(self, code, call):
        with self.assertRaises(CortexkeyError) as raised:
            call()
        self.assertEqual(raised.exception.code, code)
        self.assertNotIn(KEY, str(raised.exception))
        cause = raised.exception
        while cause is not None:
            self.assertNotIn(KEY, repr(cause.__dict__) + repr(cause.args))
            cause = cause.__cause__ or cause.__context__

    def test_ids_that_do_not_fit_are_refused_and_not_cut(self):
        for key_id in (0, -1, 2**64, 2**64 + 7, True, "7", 7.0, None):
            self.fails("invalid-key-id", lambda key_id=key_id: Signer(key_id, KEY))
        Signer(2**64 - 1, KEY)

    def test_keys_are_visible_ascii_of_a_bounded_length(self):
        for key in ("", KEY + "\n", KEY + "\0", "ä" + KEY, KEY + "\udc80", "k" * 257, b"\xff", None, 7):
            self.fails("invalid-key", lambda key=key: Signer(7, key))
        self.assertEqual(Signer(7, KEY.encode()).headers_at(NONCE, 1700000000000),
                         Signer(7, KEY).headers_at(NONCE, 1700000000000))

    def test_levels_nonces_and_times_are_checked(self):
        self.fails("invalid-level", lambda: Signer(7, KEY, level="Advanced"))
        self.fails("invalid-level", lambda: Signer(7, KEY, level=2))
        signer = Signer(7, KEY)
        for nonce in ("", "0" * 63, "0" * 65, "é" * 64, "-" * 64, "0" * 63 + "\0"):
            self.fails("invalid-nonce", lambda nonce=nonce: signer.headers_at(nonce, 1700000000000))
        for timestamp in (0, 1700000000, -1, 2**64 + 1700000000000, True, 1.7e12):
            self.fails("invalid-timestamp", lambda at=timestamp: signer.headers_at(NONCE, at))

    def test_a_signer_shows_no_key_and_is_not_copied(self):
        signer = Signer(7, KEY, level=Level.STANDARD)
        self.assertEqual(repr(signer), "Signer(key_id=7, level='standard')")
        for copied in (copy.copy, copy.deepcopy, pickle.dumps):
            self.assertRaises(TypeError, copied, signer)

    def test_the_environment_has_to_say_everything(self):
        complete = {"CORTEXKEY_API_KEY": KEY, "CORTEXKEY_API_KEY_ID": "7", "CORTEXKEY_API_KEY_TYPE": "standard"}
        self.assertEqual(Signer.from_env(complete).headers()["Authorization"], KEY)
        for name in complete:
            self.fails("missing-variable", lambda name=name: Signer.from_env({**complete, name: ""}))
        for key_id in (" 7", "+7", "1_0", "٧", "9" * 21):
            self.fails("invalid-key-id",
                       lambda key_id=key_id: Signer.from_env({**complete, "CORTEXKEY_API_KEY_ID": key_id}))


class Processes(unittest.TestCase):
    def test_threads_share_a_signer_and_its_owner_may_forget_it(self):
        signer, drawn, lock = Signer(7, KEY), [], threading.Lock()

        def sign(signer):
            nonces = [signer.headers()["x-xdr-nonce"] for _ in range(500)]
            with lock:
                drawn.extend(nonces)

        threads = [threading.Thread(target=sign, args=[signer]) for _ in range(8)]
        for thread in threads:
            thread.start()
        del signer
        for thread in threads:
            thread.join()
        self.assertEqual(len(set(drawn)), 4000)

    @unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
    def test_forked_children_draw_other_nonces(self):
        signer, nonces = Signer(7, KEY), set()
        signer.headers()
        for _ in range(8):
            read, write = os.pipe()
            if os.fork() == 0:
                os.write(write, signer.headers()["x-xdr-nonce"].encode())
                os._exit(0)
            os.close(write)
            nonces.add(os.read(read, 64))
            os.close(read)
            os.wait()
        nonces.add(signer.headers()["x-xdr-nonce"].encode())
        self.assertEqual(len(nonces), 9)


def load_tests(_loader, tests, _pattern):
    """Adds the examples of the documentation."""
    tests.addTests(doctest.DocTestSuite(_signer))
    return tests


if __name__ == "__main__":
    unittest.main()
