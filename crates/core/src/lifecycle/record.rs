//! [`KeyRecord`]: a row of the console's API Keys table. The key itself is in no table.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::auth::{KeyId, Level};
use crate::expiry::Expiry;

/// What the table shows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The column ID.
    pub key_id: KeyId,
    /// When it was generated, in milliseconds since 1970; 0 if the tenant does not say.
    pub created_ms: u64,
    /// The e-mail address of its creator.
    pub created_by: String,
    /// The name of its creator.
    pub user_name: String,
    /// The display names of its roles.
    pub roles: Vec<String>,
    /// Its security level.
    pub level: Level,
    /// Its comment, the only free text that the product stores.
    pub comment: Option<String>,
    /// When it expires.
    pub expiry: Expiry,
}

impl KeyRecord {
    /// The columns, in the order of [`row`](Self::row).
    pub const COLUMNS: [&str; 7] = [
        "ID",
        "Creation Time",
        "Created By",
        "Roles",
        "Security Level",
        "Comment",
        "Expiration Time",
    ];

    /// The row as text, with tabs between the columns, as *Copy entire row* gives it. Times are
    /// milliseconds since 1970, which a caller with a calendar may convert to dates.
    ///
    /// Line ends and tabs within a value become spaces, so that a row stays one line.
    pub fn row(&self) -> impl fmt::Display + '_ {
        Row(self)
    }
}

struct Row<'a>(&'a KeyRecord);

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        write!(f, "{}\t{}\t", record.key_id, record.created_ms)?;
        one_line(f, &record.created_by)?;
        f.write_str("\t")?;
        for (i, role) in record.roles.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            one_line(f, role)?;
        }
        write!(f, "\t{}\t", record.level)?;
        one_line(f, record.comment.as_deref().unwrap_or(""))?;
        match record.expiry {
            Expiry::Never => f.write_str("\tnever"),
            Expiry::At { ms } => write!(f, "\t{ms}"),
        }
    }
}

fn one_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write as _;
    text.chars().try_for_each(|c| f.write_char(if c.is_control() { ' ' } else { c }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    fn record(id: u64, role: &str, expiry: Expiry) -> KeyRecord {
        KeyRecord {
            key_id: KeyId::new(id).unwrap(),
            created_ms: 1_790_000_000_000 + id,
            created_by: "a@example.com".into(),
            user_name: "A".into(),
            roles: vec![role.into()],
            level: Level::Advanced,
            comment: Some("Exports\tto the\nSIEM".into()),
            expiry,
        }
    }

    #[test]
    fn a_row_is_one_line_with_every_column() {
        let row = record(7, "Viewer", Expiry::Never).row().to_string();
        assert_eq!(
            row,
            "7\t1790000000007\ta@example.com\tViewer\tadvanced\tExports to the SIEM\tnever"
        );
        assert_eq!(row.split('\t').count(), KeyRecord::COLUMNS.len());
    }
}
