//! Accounts besides this user that may read or change a file on Windows.
//!
//! The system formats a file's access control list as text (SDDL), which this module parses. An
//! entry that it does not understand counts as access.

#![cfg_attr(
    not(windows),
    expect(unreachable_pub, reason = "elsewhere it is built for its tests alone")
)]

#[cfg(windows)]
pub use windows::{keep_rights, make_private, others_with};

/// The access that other accounts must not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAccess {
    /// Neither read nor write.
    Read,
    /// Not write; reading is allowed.
    Write,
}

const GENERIC_ALL: u32 = 0x1000_0000;
const GENERIC_READ: u32 = 0x8000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
const READ_DATA: u32 = 0x1;
/// Write data, append data, delete children, delete, change the list, take ownership.
const CHANGES: u32 = 0x2 | 0x4 | 0x40 | 0x1_0000 | 0x4_0000 | 0x8_0000;

/// The system and administrators, who can read every file, and the owner, who is checked by itself.
const TRUSTED: [&str; 3] = ["SY", "BA", "OW"];

impl FileAccess {
    const fn rights(self) -> u32 {
        let changes = CHANGES | GENERIC_WRITE | GENERIC_ALL;
        match self {
            Self::Read => changes | READ_DATA | GENERIC_READ,
            Self::Write => changes,
        }
    }
}

/// The first account besides `user`, the system and administrators that has the access.
///
/// `sddl` has the owner and the list of a file, as `O:…D:…`.
fn others_in(sddl: &str, user: &str, access: FileAccess) -> Option<String> {
    let is_trusted = |account: &str| account == user || TRUSTED.contains(&account);
    let Some((owner, list)) = sddl.split_once("D:") else {
        // Without a list, everybody has full access.
        return Some(named("WD"));
    };
    let owner = owner.trim_start_matches("O:");
    if !is_trusted(owner) {
        return Some(named(owner));
    }
    let Some((flags, entries)) = list.split_once('(') else {
        // An empty list allows nothing.
        return (list.contains("NO_ACCESS_CONTROL")).then(|| named("WD"));
    };
    if flags.contains("NO_ACCESS_CONTROL") {
        return Some(named("WD"));
    }
    entries.split('(').find_map(|entry| match Entry::read(entry) {
        Some(entry) => {
            let counts = entry.allows && entry.rights & access.rights() != 0;
            (counts && !is_trusted(entry.account)).then(|| named(entry.account))
        }
        None => Some(format!("an unknown entry ({entry}")),
    })
}

/// An entry that applies to the file itself.
struct Entry<'a> {
    allows: bool,
    rights: u32,
    account: &'a str,
}

impl<'a> Entry<'a> {
    /// Reads `type;flags;rights;object;inherited object;account)`.
    fn read(text: &'a str) -> Option<Self> {
        let fields: Vec<_> = text.trim_end().strip_suffix(')')?.split(';').collect();
        let [kind, flags, rights, "", "", account] = fields.as_slice() else { return None };
        let for_others = codes(flags)?.any(|code| code == "IO");
        let allows = match *kind {
            // An entry that is only inherited by files does not apply to the folder.
            "A" => !for_others,
            // Denying removes rights; ignoring it is on the safe side.
            "D" => false,
            _ => return None,
        };
        Some(Self { allows, rights: self::rights(rights), account })
    }
}

/// The two-letter codes of a string.
fn codes(text: &str) -> Option<impl Iterator<Item = &str>> {
    let is_codes = text.is_ascii() && text.len().is_multiple_of(2);
    is_codes.then(|| (0..text.len()).step_by(2).map(|at| &text[at..at + 2]))
}

/// Counts as all rights if one is unknown.
fn rights(text: &str) -> u32 {
    if let Some(digits) = text.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).unwrap_or(u32::MAX);
    }
    let right = |code| match code {
        "GA" => GENERIC_ALL,
        "GR" => GENERIC_READ,
        "GW" => GENERIC_WRITE,
        "GX" => 0x2000_0000,
        "FA" => 0x1f_01ff,
        "FR" => 0x12_0089,
        "FW" => 0x12_0116,
        "FX" => 0x12_00a0,
        "SD" => 0x1_0000,
        "RC" => 0x2_0000,
        "WD" => 0x4_0000,
        "WO" => 0x8_0000,
        "CC" => 0x1,
        "DC" => 0x2,
        "LC" => 0x4,
        "SW" => 0x8,
        "RP" => 0x10,
        "WP" => 0x20,
        "DT" => 0x40,
        "LO" => 0x80,
        "CR" => 0x100,
        _ => u32::MAX,
    };
    codes(text).map_or(u32::MAX, |codes| codes.map(right).fold(0, |all, one| all | one))
}

/// The list that leaves a file or folder to a user, the system and administrators. It is protected, so the
/// folder above adds nothing to it.
fn private_list(user: &str) -> String {
    let entries = [user, "SY", "BA"].map(|account| format!("(A;OICI;FA;;;{account})"));
    format!("D:P{}", entries.concat())
}

/// The name of an account, if SDDL has a code for it.
fn named(account: &str) -> String {
    let name = match account {
        "WD" => "Everyone",
        "AU" => "Authenticated Users",
        "BU" => "Users",
        "BG" => "Guests",
        "IU" => "Interactive Users",
        "NU" => "Network Users",
        "PU" => "Power Users",
        "LS" => "Local Service",
        "NS" => "Network Service",
        "CO" => "Creator Owner",
        other => other,
    };
    name.to_owned()
}

#[cfg(windows)]
mod windows {
    use std::ffi::OsString;
    use std::fs::File;
    use std::io;
    use std::path::Path;

    use windows_permissions::constants::{SeObjectType, SecurityInformation};
    use windows_permissions::utilities::current_process_sid;
    use windows_permissions::wrappers::{
        ConvertSidToStringSid, GetNamedSecurityInfo, GetSecurityInfo, SetNamedSecurityInfo,
    };
    use windows_permissions::{LocalBox, SecurityDescriptor};

    use super::{FileAccess, others_in, private_list};

    const FILE: SeObjectType = SeObjectType::SE_FILE_OBJECT;

    /// The first account other than this user, the system and administrators that has the access to an open
    /// file or folder.
    pub fn others_with(file: &File, access: FileAccess) -> io::Result<Option<String>> {
        let about = SecurityInformation::Owner | SecurityInformation::Dacl;
        let sddl = text(GetSecurityInfo(file, FILE, about)?.as_sddl()?)?;
        Ok(others_in(&sddl, &this_user()?, access))
    }

    /// Restricts a file or folder to this user, the system and administrators, whatever its
    /// folder's inherited entries are.
    pub fn make_private(path: &Path) -> io::Result<()> {
        let own = descriptor(&private_list(&this_user()?))?;
        set(path, &own, true)
    }

    /// Gives a new file the access control list of the file that it replaces.
    pub fn keep_rights(of: &Path, new: &Path) -> io::Result<()> {
        let old = GetNamedSecurityInfo(of, FILE, SecurityInformation::Dacl)?;
        let sddl = text(old.as_sddl()?)?;
        let flags = sddl.strip_prefix("D:").unwrap_or_default();
        let is_protected = flags.split('(').next().is_some_and(|flags| flags.contains('P'));
        set(new, &old, is_protected)
    }

    fn set(path: &Path, to: &SecurityDescriptor, protected: bool) -> io::Result<()> {
        let inherits = if protected {
            SecurityInformation::ProtectedDacl
        } else {
            SecurityInformation::UnprotectedDacl
        };
        let what = SecurityInformation::Dacl | inherits;
        SetNamedSecurityInfo(path, FILE, what, None, None, to.dacl(), None)
    }

    /// This user in SDDL, which has codes for some accounts.
    fn this_user() -> io::Result<String> {
        let sid = text(ConvertSidToStringSid(&*current_process_sid()?)?)?;
        let owner = text(descriptor(&format!("O:{sid}"))?.as_sddl()?)?;
        Ok(owner.trim_start_matches("O:").to_owned())
    }

    fn descriptor(sddl: &str) -> io::Result<LocalBox<SecurityDescriptor>> {
        sddl.parse()
    }

    fn text(text: OsString) -> io::Result<String> {
        text.into_string().map_err(|_| io::Error::other("a list of rights is not text"))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// The list as the system formats it, without a file: wine stores a file's list as its
        /// mode.
        #[test]
        fn the_system_reads_the_private_list_as_we_do() -> io::Result<()> {
            let user = this_user()?;
            let list = private_list(&user);
            let sddl = text(descriptor(&format!("O:{user}{list}"))?.as_sddl()?)?;
            assert_eq!(sddl, format!("O:{user}{list}"));
            assert_eq!(others_in(&sddl, &user, FileAccess::Read), None);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "S-1-5-21-1-2-3-1001";

    fn readers(list: &str) -> Option<String> {
        others_in(&format!("O:{USER}D:{list}"), USER, FileAccess::Read)
    }

    #[test]
    fn the_user_system_and_administrators_are_trusted() {
        let own = format!("PAI(A;;FA;;;{USER})(A;;FA;;;SY)(A;ID;FA;;;BA)(A;;RC;;;OW)");
        assert_eq!(readers(&own), None);
        assert_eq!(readers("P"), None);
    }

    #[test]
    fn a_private_list_is_protected_and_grants_others_nothing() {
        let list = private_list(USER);
        assert!(list.starts_with("D:P("), "{list}");
        for access in [FileAccess::Read, FileAccess::Write] {
            assert_eq!(others_in(&format!("O:{USER}{list}"), USER, access), None);
            let other = others_in(&format!("O:SY{list}"), "S-1-5-21-1-2-3-1002", access);
            assert_eq!(other.as_deref(), Some(USER));
        }
    }

    #[test]
    fn another_account_with_access_is_named() {
        for (list, account) in [
            ("(A;;FR;;;WD)", "Everyone"),
            ("AI(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)", "Users"),
            ("(A;;GR;;;AU)", "Authenticated Users"),
            ("(A;;CC;;;S-1-5-21-1-2-3-1002)", "S-1-5-21-1-2-3-1002"),
            // An account that may change the list or take ownership can then read the file.
            ("(A;;WD;;;BU)", "Users"),
            ("(A;;WO;;;BU)", "Users"),
            ("NO_ACCESS_CONTROL", "Everyone"),
        ] {
            assert_eq!(readers(list).as_deref(), Some(account), "{list}");
        }
        assert_eq!(others_in(&format!("O:{USER}"), USER, FileAccess::Read).unwrap(), "Everyone");
        assert_eq!(others_in("O:WDD:P", USER, FileAccess::Write).unwrap(), "Everyone");
        assert_eq!(others_in("D:P", USER, FileAccess::Write).unwrap(), "");
    }

    #[test]
    fn roles_that_grant_nothing_here_do_not_count() {
        for list in ["(A;;RC;;;WD)", "(A;OICIIO;FA;;;CO)", "(D;;FA;;;WD)", "(A;;FX;;;WD)"] {
            assert_eq!(readers(list), None, "{list}");
        }
        let read = format!("O:{USER}D:(A;;FR;;;WD)");
        assert_eq!(others_in(&read, USER, FileAccess::Write), None);
        let write = format!("O:{USER}D:(A;;FW;;;WD)");
        assert_eq!(others_in(&write, USER, FileAccess::Write).as_deref(), Some("Everyone"));
    }

    #[test]
    fn unknown_grants_count_as_access() {
        for list in [
            "(XA;;FR;;;WD;(Member_of {SID(BA)}))",
            "(A;;FR;;;WD",
            "(A;;ZZ;;;WD)",
            "(A;;0xfffffffff;;;WD)",
            "(A;x;FR;;;SY)",
            "(OA;;CC;1-2;;WD)",
            "(",
        ] {
            assert!(readers(list).is_some(), "{list}");
        }
    }
}
