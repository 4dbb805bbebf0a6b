//! BTF, the kernel's description of its own types (`Documentation/bpf/btf.rst`): where the members
//! of a struct lie in the kernel that runs. Cannot panic, whatever the bytes are.

use crate::kernel::bytes::{u8_at, u16_ne, u32_ne};
use memchr::memmem;

const MAGIC: u16 = 0xeb9f;
/// `struct btf_type`: name, info, size or type.
const TYPE: usize = 12;
/// `struct btf_member`: name, type, offset.
const MEMBER: usize = 12;
const KIND_STRUCT: u32 = 4;
const KIND_FUNC: u32 = 12;

/// A place in the description: where the types and their names begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
}

/// A member somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// Name of its struct.
    pub(super) of: &'static str,
    /// Its name.
    pub(super) name: &'static str,
}

/// Answers to one pass over the types.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Id of the function.
    pub(super) function: u32,
    /// Offset of each member in bytes, in the order they were asked for.
    pub(super) offsets: Vec<i16>,
}

impl<'a> Btf<'a> {
    /// Reads the header: magic, version, flags, its length, then offset and length of the types and
    /// of the strings, counted from its end.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        if u16_ne(bytes, 0)? != MAGIC {
            return None;
        }
        let word = |at| usize::try_from(u32_ne(bytes, at)?).ok();
        let body = bytes.get(word(4)?..)?;
        let section = |at| body.get(word(at)?..)?.get(..word(at + 4)?);
        Some(Self { types: section(8)?, strings: section(16)? })
    }

    /// Looks up a function and members, all of them or nothing.
    ///
    /// Names are first found among the strings, where each stands once: comparing numbers while
    /// walking a hundred thousand types then takes a millisecond.
    pub(super) fn find(self, function: &str, members: &[Member]) -> Option<Found> {
        let function = self.offset_of(function)?;
        let mut wanted = Vec::with_capacity(members.len());
        for member in members {
            wanted.push((self.offset_of(member.of)?, self.offset_of(member.name)?, None));
        }
        let mut id = None;
        let mut rest = self.types;
        // Type 0 is void and not written down.
        for number in 1u32.. {
            let Some((name, info)) = u32_ne(rest, 0).zip(u32_ne(rest, 4)) else { break };
            let (kind, count) = (info >> 24 & 31, usize::try_from(info & 0xffff).ok()?);
            let body = rest.get(TYPE..)?;
            if kind == KIND_FUNC && name == function {
                id = id.or(Some(number));
            }
            if kind == KIND_STRUCT && wanted.iter().any(|(of, ..)| *of == name) {
                // With the flag the offset shares its word with the width of a bit-field.
                let has_widths = info >> 31 != 0;
                for (_, member, found) in wanted.iter_mut().filter(|(of, ..)| *of == name) {
                    *found = found.or_else(|| offset(body, count, *member, has_widths));
                }
            }
            rest = body.get(length(kind, count)?..)?;
        }
        let offsets = wanted.into_iter().map(|(.., found)| found).collect::<Option<_>>()?;
        Some(Found { function: id?, offsets })
    }

    /// Where a name stands among the strings.
    fn offset_of(self, name: &str) -> Option<u32> {
        let terminated = [b"\0", name.as_bytes(), b"\0"].concat();
        u32::try_from(memmem::find(self.strings, &terminated)? + 1).ok()
    }
}

/// Offset in bytes of the member with this name. A bit-field has none.
fn offset(members: &[u8], count: usize, name: u32, has_widths: bool) -> Option<i16> {
    let at =
        (0..count).map(|index| index * MEMBER).find(|at| u32_ne(members, *at) == Some(name))?;
    let bits = u32_ne(members, at + 8)?;
    if has_widths && u8_at(&bits.to_be_bytes(), 0) != Some(0) {
        return None;
    }
    i16::try_from(bits / 8).ok()
}

/// How much follows a type of this kind with so many members. `None`: a kind from the future, after
/// which nothing can be read.
fn length(kind: u32, count: usize) -> Option<usize> {
    Some(match kind {
        // INT, VAR, DECL_TAG; ARRAY.
        1 | 14 | 17 => 4,
        3 => 12,
        // STRUCT, UNION, DATASEC, ENUM64; ENUM, FUNC_PROTO.
        4 | 5 | 15 | 19 => 12 * count,
        6 | 13 => 8 * count,
        // PTR, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT, FUNC, FLOAT, TYPE_TAG.
        2 | 7..=12 | 16 | 18 => 0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A description with an int, a struct of two members and a function.
    fn description(kind_of_first: u32) -> Vec<u8> {
        let strings = b"\0int\0file\0f_mode\0f_inode\0walk\0";
        let at = |name: &str| {
            let text = std::str::from_utf8(strings).unwrap();
            u32::try_from(text.find(&format!("\0{name}\0")).unwrap() + 1).unwrap()
        };
        let mut types: Vec<u32> = vec![at("int"), kind_of_first << 24, 4, 32];
        types.extend([at("file"), KIND_STRUCT << 24 | 2, 48]);
        types.extend([at("f_mode"), 1, 0, at("f_inode"), 1, 32 * 8]);
        types.extend([at("walk"), KIND_FUNC << 24, 1]);
        let types: Vec<u8> = types.into_iter().flat_map(u32::to_ne_bytes).collect();
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        for word in [24, 0, length(&types), length(&types), length(strings)] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(types);
        bytes.extend(strings);
        bytes
    }

    const INODE: Member = Member { of: "file", name: "f_inode" };

    #[test]
    fn functions_and_members_are_found_by_name() {
        let bytes = description(1);
        let btf = Btf::new(&bytes).unwrap();
        let mode = Member { of: "file", name: "f_mode" };
        assert_eq!(
            btf.find("walk", &[INODE, mode]),
            Some(Found { function: 3, offsets: vec![32, 0] })
        );
        assert_eq!(btf.find("int", &[INODE]), None, "not a function");
        assert_eq!(btf.find("walk", &[Member { of: "file", name: "f_pos" }]), None);
        assert_eq!(btf.find("walk", &[Member { of: "int", name: "f_inode" }]), None);
    }

    #[test]
    fn what_is_cut_or_unknown_is_not_found_and_never_a_panic() {
        let bytes = description(1);
        for cut in 0..bytes.len() {
            let found = Btf::new(&bytes[..cut]).and_then(|btf| btf.find("walk", &[INODE]));
            assert_eq!(found, None, "{cut}");
        }
        let future = description(31);
        assert_eq!(Btf::new(&future).and_then(|btf| btf.find("walk", &[INODE])), None);
    }
}
