//! `struct inet_diag_sockopt` (`linux/inet_diag.h`): options of an internet socket as flags.

/// One option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketOption {
    name: &'static str,
    /// Which bit-field of the two bytes, from the first.
    position: u8,
}

impl SocketOption {
    /// The kernel's name of the flag.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

macro_rules! options {
    ($($name:literal $position:literal),* $(,)?) => {
        /// Every option, in the order of the struct.
        pub const ALL: [SocketOption; 11] =
            [$(SocketOption { name: $name, position: $position }),*];
    };
}

options! {
    "recverr" 0, "is_icsk" 1, "freebind" 2, "hdrincl" 3, "mc_loop" 4, "transparent" 5, "mc_all" 6,
    "nodefrag" 7, "bind_address_no_port" 8, "recverr_rfc4884" 9, "defer_connect" 10,
}

/// Whether addresses that are not the host's may be this end's (`IP_TRANSPARENT`).
pub const TRANSPARENT: SocketOption = SocketOption { name: "transparent", position: 5 };

/// The options of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketOptions([u8; 2]);

impl SocketOptions {
    /// As the kernel sent them.
    pub const fn from_kernel(bytes: [u8; 2]) -> Self {
        Self(bytes)
    }

    /// Whether an option is set.
    pub const fn has(self, option: SocketOption) -> bool {
        let byte = self.0[(option.position / 8) as usize];
        let bit = option.position % 8;
        // The first bit-field lies low on little-endian, high on big-endian.
        let shift = if cfg!(target_endian = "little") { bit } else { 7 - bit };
        byte >> shift & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn bits_are_those_of_the_kernel() {
        // A TCP listener of Linux 6.18, x86-64: ss --inet-sockopt says is_icsk mc_loop mc_all.
        let options = SocketOptions::from_kernel([0x52, 0]);
        let set: Vec<_> = ALL.iter().filter(|o| options.has(**o)).map(|o| o.name()).collect();
        assert_eq!(set, ["is_icsk", "mc_loop", "mc_all"]);
    }
}
