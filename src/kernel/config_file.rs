//! Files that the user keeps: read whole, within reason.

use super::{error::Error, proc::root::Root};
use std::{io::Read, path::Path};

/// More than anybody writes by hand.
const LONGEST: u64 = 1 << 20;

/// Reads a text file.
pub fn read(path: &Path) -> Result<String, Error> {
    let failed = |error| Error::io("read", path.display().to_string(), &error);
    let mut text = String::new();
    Root::open(path)?.take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
