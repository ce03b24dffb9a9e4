//! Any text as an address: no panic, never plain http to another machine, and parsing the result
//! again changes nothing.

#![no_main]

use cortexkey_core::address::Address;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(address) = Address::parse(text) else { return };
    let printed = address.to_string();
    assert!(printed.starts_with("https://") || address.is_loopback());
    assert_eq!(Address::parse(&printed), Ok(address));
});
