//! Reads files and standard input for commands.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use cortexkey_system::io_reason;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};

/// All bytes of a file, or of standard input for `-`; they may contain a key. `what` is their name
/// in messages.
pub(crate) fn read(path: &Path, what: &str, bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let unreadable = |error: io::Error| {
        let name = path.display();
        Failure::new(
            Exit::NoInput,
            format!("cannot read {what} from {name}: {}", io_reason(&error)),
        )
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let mut take = |from: &mut dyn Read| from.take(bytes_max + 1).read_to_end(&mut bytes);
    if path.as_os_str() == "-" {
        take(&mut io::stdin()).map_err(unreadable)?;
    } else {
        take(&mut File::open(path).map_err(unreadable)?).map_err(unreadable)?;
    }
    if bytes.len() as u64 > bytes_max {
        return Err(Failure::usage_error(format!("{what} is larger than {bytes_max} bytes")));
    }
    Ok(bytes)
}
