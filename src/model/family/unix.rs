//! `AF_UNIX` sockets (`linux/unix_diag.h`, unix(7)).

use crate::model::{
    name::{self, Name},
    socket_type::SocketType,
};
use serde::{Deserialize, Serialize};

/// What a unix socket has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unix {
    /// Stream, dgram or seqpacket.
    pub kind: SocketType,
    /// Its name as bind(2) got it: a path, or an abstract name, which begins with a zero byte.
    /// `None`: it has none.
    #[serde(with = "name::exactly")]
    pub path: Option<Name>,
    /// The file of a path. `None`: no path, or from /proc.
    pub file: Option<File>,
    /// Inode of the socket at the other end. `None`: not connected, or from /proc.
    pub peer_inode: Option<u32>,
    /// Name of the socket at the other end, where it has one and was looked up.
    #[serde(with = "name::exactly")]
    pub peer_path: Option<Name>,
    /// Inodes of the sockets whose connections wait for accept(2), where it was asked for;
    /// the kernel writes 0 for one whose program is gone.
    pub pending: Vec<u32>,
}

/// The file that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its inode.
    pub inode: u32,
    /// Its device as the kernel keeps it: the major number above 20 bits of the minor
    /// (`MKDEV` in `linux/kdev_t.h`). Not the encoding of stat(2).
    pub device: u32,
}

impl File {
    /// Major and minor number of the device.
    pub const fn device_numbers(self) -> (u32, u32) {
        (self.device >> 20, self.device & 0xf_ffff)
    }
}

impl Unix {
    /// A socket of this type of which nothing else is known.
    pub const fn of(kind: SocketType) -> Self {
        Self { kind, path: None, file: None, peer_inode: None, peer_path: None, pending: vec![] }
    }

    /// Whether the kernel chose its name (`autobind` in unix(7)): five hexadecimal digits in the
    /// abstract namespace. A socket without a name has not been bound by anybody either, and ss
    /// counts it here.
    pub fn is_autobound(&self) -> bool {
        match &self.path {
            None => true,
            Some(Name(name)) => match name.split_first() {
                Some((0, rest)) => rest.len() == 5 && rest.iter().all(u8::is_ascii_hexdigit),
                _ => false,
            },
        }
    }
}

/// A name as people write it: an abstract one with `@` in place of its zero bytes.
pub fn written(name: &Name) -> Vec<u8> {
    match name.0.split_first() {
        Some((0, rest)) => {
            let rest = rest.iter().map(|byte| if *byte == 0 { b'@' } else { *byte });
            std::iter::once(b'@').chain(rest).collect()
        }
        _ => name.0.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_split_as_the_kernel_keeps_it() {
        let file = File { inode: 7, device: 254 << 20 | 3 };
        assert_eq!(file.device_numbers(), (254, 3));
    }

    #[test]
    fn the_kernels_own_choice_of_a_name_is_known() {
        let of = |name: Option<&[u8]>| {
            let path = name.map(|name| Name(name.to_vec()));
            Unix { path, ..Unix::of(SocketType::Stream) }.is_autobound()
        };
        assert!(of(None) && of(Some(b"\x000000a")));
        assert!(!of(Some(b"/run/x")) && !of(Some(b"\x00abcdefg")) && !of(Some(b"\x00xyzab")));
    }

    #[test]
    fn an_abstract_name_is_written_with_at_signs() {
        assert_eq!(written(&Name(b"\0a\0b".to_vec())), b"@a@b");
        assert_eq!(written(&Name(b"/run/x".to_vec())), b"/run/x");
    }
}
