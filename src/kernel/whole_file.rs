//! A file that appears whole or not at all: written beside its path, then renamed.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process,
};

/// Readable by its owner alone: what is recorded names users, programs and peers.
const MODE: u32 = 0o600;

/// Makes the file at `path` of what `fill` writes. A pipe or a device is written as it is.
pub fn write<T, E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    let is_special = fs::metadata(path).is_ok_and(|m| !m.is_file());
    if is_special {
        return fill(&mut OpenOptions::new().write(true).open(path)?);
    }
    let beside = beside(path);
    let make = || {
        let mut whole = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&beside)?;
        let told = fill(&mut whole)?;
        whole.sync_all()?;
        fs::rename(&beside, path)?;
        Ok(told)
    };
    make().inspect_err(|_| {
        // What cannot be removed was not made.
        let _ = fs::remove_file(&beside);
    })
}

/// A name in the same directory, so that renaming does not cross file systems.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".part-{}", process::id()));
    path.with_file_name(name)
}
