//! Files that the user keeps: read whole, within reason.

use super::{
    error::{Cause, Error},
    proc::root::Root,
};
use nix::errno::Errno;
use std::{io::Read, path::Path};

/// More than anybody writes by hand.
const LONGEST: u64 = 1 << 20;

/// Reads a text file. One that is absent, that cannot be read, that is no text or too long is an
/// error; nothing is cut.
pub fn read(path: &Path) -> Result<String, Error> {
    let subject = || path.display().to_string();
    let file = |why: &str, hint| {
        let cause = Cause::File { why: why.to_owned(), hint };
        Error { attempted: "read", subject: subject(), cause }
    };
    let mut bytes = vec![];
    let read = Root::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| match Error::io("read", subject(), &error) {
        error if error.as_errno() == Some(Errno::EISDIR) => {
            file("it is a directory", "name the file in it, such as doctor.toml")
        }
        error => error,
    })?;
    if bytes.len() as u64 > LONGEST {
        return Err(file(
            "it is longer than 1 MiB",
            "a configuration of all rules takes a few KiB: is this the right file?",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = line.filter(|byte| **byte == b'\n').count() + 1;
        file(&format!("line {line} is not UTF-8"), "save it as UTF-8: `iconv -t UTF-8 FILE`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use tempfile::NamedTempFile;

    fn holding(bytes: &[u8]) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let longest = vec![b'#'; usize::try_from(LONGEST).unwrap()];
        assert_eq!(read(holding(&longest).path()).unwrap().len(), longest.len());
        let longer = read(holding(&[&longest[..], b"#"].concat()).path()).unwrap_err();
        assert!(longer.to_string().contains("longer than 1 MiB"), "{longer}");
    }

    #[test]
    fn what_is_no_text_is_told_with_the_line() {
        let error = read(holding(b"a = 1\nb = \"\xff\"\n").path()).unwrap_err();
        assert!(error.to_string().contains("line 2 is not UTF-8"), "{error}");
        let directory = tempfile::tempdir().unwrap();
        let error = read(directory.path()).unwrap_err();
        assert!(error.to_string().contains("a directory"), "{error}");
        let error = read(Path::new("/no/such/file")).unwrap_err();
        assert!(error.is_absent(), "{error}");
    }
}
