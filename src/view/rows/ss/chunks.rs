//! When ss prints: it fills four chunks of 1 MiB, prints them when it begins a fifth, and goes on.

/// Bytes of a chunk that hold cells: ss allocates 1 MiB, of which two pointers are its own.
const CHUNK: usize = 1024 * 1024 - 16;
/// The chunk that is not filled any more: what was gathered is printed when it begins.
const CHUNKS: usize = 5;
/// Bytes in front of each cell: its length.
const LENGTH: usize = 2;

/// What the cells take there that were gathered here.
#[derive(Debug)]
pub(super) struct Chunks {
    /// Bytes taken in the chunk that is being filled.
    taken: usize,
    count: usize,
}

impl Chunks {
    /// None is filled.
    pub(super) const EMPTY: Self = Self { taken: LENGTH, count: 1 };

    /// The bytes a cell of this length takes, unless a chunk ends in it.
    #[inline]
    pub(super) const fn bytes(length: usize) -> usize {
        length + length % 2 + LENGTH
    }

    /// Adds a cell. ss keeps it whole: one that does not fit begins a new chunk.
    #[inline]
    pub(super) fn add(&mut self, length: usize) {
        if !self.add_bytes(Self::bytes(length)) {
            self.add_at_end(length);
        }
    }

    /// Adds cells that take these bytes together. False: a chunk ends in them, and nothing was added.
    #[inline]
    pub(super) fn add_bytes(&mut self, bytes: usize) -> bool {
        let fits = self.taken + bytes <= CHUNK;
        if fits {
            self.taken += bytes;
        }
        fits
    }

    #[inline(never)]
    fn add_at_end(&mut self, length: usize) {
        if self.taken + length > CHUNK {
            self.begin();
        }
        self.taken += length;
        let padding = length % 2;
        if CHUNK.saturating_sub(self.taken + padding) < LENGTH {
            self.begin();
        } else {
            self.taken += padding + LENGTH;
        }
    }

    fn begin(&mut self) {
        self.count += 1;
        self.taken = LENGTH;
    }

    /// Whether ss prints now.
    pub(super) fn are_full(&self) -> bool {
        self.count >= CHUNKS
    }
}
