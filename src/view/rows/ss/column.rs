//! The columns of ss.

/// A column of ss, in the order of printing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Netid,
    State,
    RecvQueue,
    SendQueue,
    LocalAddress,
    LocalPort,
    PeerAddress,
    PeerPort,
    Process,
}

impl Column {
    pub(super) const ALL: [Self; 9] = [
        Self::Netid,
        Self::State,
        Self::RecvQueue,
        Self::SendQueue,
        Self::LocalAddress,
        Self::LocalPort,
        Self::PeerAddress,
        Self::PeerPort,
        Self::Process,
    ];

    pub(super) const fn heading(self) -> &'static [u8] {
        match self {
            Self::Netid => b"Netid",
            Self::State => b"State",
            Self::RecvQueue => b"Recv-Q",
            Self::SendQueue => b"Send-Q",
            Self::LocalAddress => b"Local Address:",
            Self::PeerAddress => b"Peer Address:",
            Self::LocalPort | Self::PeerPort => b"Port",
            Self::Process => b"Process",
        }
    }

    /// Whether a blank stands in front of it: ports and the last column follow without one.
    pub(super) const fn is_apart(self) -> bool {
        !matches!(self, Self::Netid | Self::LocalPort | Self::PeerPort | Self::Process)
    }

    /// Whether cells are aligned to the right: addresses meet their ports at the colon.
    pub(super) const fn is_right(self) -> bool {
        matches!(self, Self::LocalAddress | Self::PeerAddress)
    }
}
