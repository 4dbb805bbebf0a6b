//! Sockets that are held until they are shown.

use super::{compact::Commons, packed::Packed, socket::Socket};
use std::borrow::Cow;

/// Sockets in the order they came, packed until one comes that has no compact form.
#[derive(Debug)]
pub enum Collection {
    /// In about twelve bytes each.
    Packed(Packed, Box<Commons>),
    /// As they are.
    Whole(Vec<Socket>),
}

impl Default for Collection {
    fn default() -> Self {
        Self::Packed(Packed::default(), Box::default())
    }
}

impl Collection {
    /// Adds one.
    pub fn push(&mut self, socket: &Socket) {
        if let Self::Packed(rows, commons) = self {
            if let Some(compact) = commons.compact(socket) {
                return rows.push(compact);
            }
            *self = Self::Whole(self.iter().map(Cow::into_owned).collect());
        }
        if let Self::Whole(sockets) = self {
            sockets.push(socket.clone());
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Packed(rows, _) => rows.len(),
            Self::Whole(sockets) => sockets.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, Socket>> {
        let (packed, whole) = match self {
            Self::Packed(rows, commons) => (Some((rows, commons)), None),
            Self::Whole(sockets) => (None, Some(sockets)),
        };
        let packed = packed.into_iter().flat_map(|(rows, commons)| {
            rows.iter().filter_map(|row| commons.socket(&row)).map(Cow::Owned)
        });
        packed.chain(whole.into_iter().flatten().map(Cow::Borrowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        any,
        protocol::{Family, Protocol},
        state::State,
    };
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn sockets_come_back_as_they_were(
            sockets in prop::collection::vec(any::socket(), 0..300),
        ) {
            let mut held = Collection::default();
            for socket in &sockets {
                held.push(socket);
            }
            prop_assert_eq!(held.len(), sockets.len());
            let back: Vec<Socket> = held.iter().map(Cow::into_owned).collect();
            prop_assert_eq!(back, sockets);
        }
    }

    #[test]
    fn sockets_of_a_table_take_twelve_bytes_each() {
        let mut socket = Socket::new(Protocol::Tcp, Family::Ipv6, State::Established);
        let mut packed = Packed::default();
        let mut commons = Commons::default();
        for n in 0..1000u16 {
            // As in the order of a hash.
            let random = n.wrapping_mul(40_503);
            (socket.local.port, socket.remote.port) = (443, random);
            socket.inode = Some(1_000_000 + u64::from(random));
            socket.cookie = Some(77_000_000 + u64::from(random));
            packed.push(commons.compact(&socket).unwrap());
        }
        assert!(packed.bytes() <= 12 * 1000, "{}", packed.bytes());
    }
}
