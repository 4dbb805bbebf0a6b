//! inet_diag bytecode: the small programs with which the kernel selects sockets during a dump.
//!
//! An instruction is a head of four bytes (code `u8`, `yes` `u8`, `no` `u16`) and an operand. `yes`
//! and `no` say how many bytes to move on where the test holds and where it does not. A socket is
//! shown if the program ends exactly at its end; the place four bytes behind it refuses the socket
//! (`linux/inet_diag.h`, `inet_diag_bc_run`).

use crate::model::protocol::Family;
use std::net::IpAddr;

/// `INET_DIAG_REQ_BYTECODE`: the attribute of a request that carries the program.
pub const INET_DIAG_REQ_BYTECODE: u16 = 1;

const JMP: u8 = 1;
const S_GE: u8 = 2;
const S_LE: u8 = 3;
const D_GE: u8 = 4;
const D_LE: u8 = 5;
const AUTO: u8 = 6;
const S_COND: u8 = 7;
const D_COND: u8 = 8;
const DEV_COND: u8 = 9;
const MARK_COND: u8 = 10;
const S_EQ: u8 = 11;
const D_EQ: u8 = 12;
const CGROUP_COND: u8 = 13;

/// Head of an instruction.
const HEAD: usize = 4;
/// Longest program: the jump from the first instruction to the refusal is a `u16`, and so is the
/// length of the attribute around it, head included.
pub const LONGEST: usize = u16::MAX as usize - 8;

/// One end of a connection. The kernel's "source" is the local end, of incoming connections too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// This end.
    Local,
    /// The other end.
    Peer,
}

/// A test the kernel can make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// The port is this one. Kernel 4.19 and later; see [`Test::PortOld`].
    PortIs(End, u16),
    /// The same for every kernel, as a host without address.
    PortOld(End, u16),
    /// The port is this one or higher.
    PortAtLeast(End, u16),
    /// The port is this one or lower.
    PortAtMost(End, u16),
    /// The address begins with these bits. An IPv4 prefix also covers v4-mapped IPv6 addresses.
    Host(End, IpAddr, u8),
    /// The kernel chose the local port; true of mini-sockets and accepted connections too.
    Autobound,
    /// Bound to the interface with this index; 0: to none. Kernel 4.9 and later.
    Device(u32),
    /// `mark & mask == value`. Kernel 4.9 and later; needs CAP_NET_ADMIN.
    Mark {
        /// What remains under the mask.
        value: u32,
        /// The bits compared.
        mask: u32,
    },
    /// In the cgroup (v2) with this id. Kernel 5.10 and later.
    Cgroup(u64),
}

impl Test {
    fn code(&self) -> u8 {
        match self {
            Self::PortIs(End::Local, _) => S_EQ,
            Self::PortIs(End::Peer, _) => D_EQ,
            Self::PortAtLeast(End::Local, _) => S_GE,
            Self::PortAtLeast(End::Peer, _) => D_GE,
            Self::PortAtMost(End::Local, _) => S_LE,
            Self::PortAtMost(End::Peer, _) => D_LE,
            Self::Host(End::Local, ..) | Self::PortOld(End::Local, _) => S_COND,
            Self::Host(End::Peer, ..) | Self::PortOld(End::Peer, _) => D_COND,
            Self::Autobound => AUTO,
            Self::Device(_) => DEV_COND,
            Self::Mark { .. } => MARK_COND,
            Self::Cgroup(_) => CGROUP_COND,
        }
    }

    fn operand(&self) -> Vec<u8> {
        // `struct inet_diag_hostcond`: family, prefix length, padding, port or -1, address.
        let host = |family: u8, prefix: u8, port: i32, address: &[u8]| {
            let mut bytes = vec![family, prefix, 0, 0];
            bytes.extend(port.to_ne_bytes());
            bytes.extend(address);
            bytes
        };
        match *self {
            // Where a port is compared, it stands in the `no` field of a second head.
            Self::PortIs(_, port) | Self::PortAtLeast(_, port) | Self::PortAtMost(_, port) => {
                let [low, high] = port.to_ne_bytes();
                vec![0, 0, low, high]
            }
            // AF_UNSPEC.
            Self::PortOld(_, port) => host(0, 0, port.into(), &[]),
            Self::Host(_, IpAddr::V4(address), prefix) => {
                host(Family::Ipv4.number(), prefix, -1, &address.octets())
            }
            Self::Host(_, IpAddr::V6(address), prefix) => {
                host(Family::Ipv6.number(), prefix, -1, &address.octets())
            }
            Self::Autobound => vec![],
            Self::Device(index) => index.to_ne_bytes().to_vec(),
            Self::Mark { value, mask } => [value.to_ne_bytes(), mask.to_ne_bytes()].concat(),
            Self::Cgroup(id) => id.to_ne_bytes().to_vec(),
        }
    }
}

/// A place in a program, fixed when it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label(usize);

/// A finished program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    bytes: Vec<u8>,
}

impl Program {
    /// Whether it has no instruction, and so shows every socket; the kernel refuses it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Writes a program.
///
/// Every `yes` leads to the next instruction, so that the one byte it has is always enough; where
/// a test that holds has to lead elsewhere, a jump follows it, whose `no` has two bytes.
#[derive(Debug)]
pub struct Assembler {
    bytes: Vec<u8>,
    /// Where each label lies; `None`: not yet reached.
    labels: Vec<Option<usize>>,
    /// Where the `no` of an instruction waits for a label: (start of the instruction, label).
    open: Vec<(usize, Label)>,
}

impl Default for Assembler {
    fn default() -> Self {
        Self { bytes: vec![], labels: vec![None, None], open: vec![] }
    }
}

impl Assembler {
    /// The end of the program: the socket is shown.
    pub const ACCEPT: Label = Label(0);
    /// Four bytes behind the end: it is not.
    pub const REJECT: Label = Label(1);

    /// A new label.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Fixes a label here. Jumps lead forward only: the kernel knows no others.
    pub fn bind(&mut self, label: Label) {
        if let Some(place) = self.labels.get_mut(label.0) {
            *place = Some(self.bytes.len());
        }
    }

    /// A test: the next instruction where it holds, `no` where it does not.
    pub fn test(&mut self, test: &Test, no: Label) {
        self.instruction(test.code(), &test.operand(), no);
    }

    /// A jump.
    pub fn jump(&mut self, to: Label) {
        self.instruction(JMP, &[], to);
    }

    fn instruction(&mut self, code: u8, operand: &[u8], no: Label) {
        let length = u8::try_from(HEAD + operand.len()).unwrap_or(u8::MAX);
        self.open.push((self.bytes.len(), no));
        self.bytes.extend([code, length, 0, 0]);
        self.bytes.extend(operand);
    }

    /// Ends the program. `None`: it is longer than its jumps can reach.
    pub fn finish(mut self) -> Option<Program> {
        let end = self.bytes.len();
        if end > LONGEST {
            return None;
        }
        for (start, label) in std::mem::take(&mut self.open) {
            let place = match label {
                Self::ACCEPT => end,
                Self::REJECT => end + HEAD,
                other => (*self.labels.get(other.0)?)?,
            };
            let [low, high] = u16::try_from(place.checked_sub(start)?).ok()?.to_ne_bytes();
            if let Some([to_low, to_high]) = self.bytes.get_mut(start + 2..start + 4) {
                (*to_low, *to_high) = (low, high);
            }
        }
        Some(Program { bytes: self.bytes })
    }
}

/// Why the kernel would refuse a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// EINVAL: the program is not well-formed.
    Malformed(&'static str),
    /// EPERM: marks are told to CAP_NET_ADMIN alone.
    NeedsNetAdmin,
}

/// Whether the kernel takes a program, by its own rules (`inet_diag_bc_audit`):
///
/// * the instructions, walked by their `yes`, end exactly where the program does;
/// * `yes` and `no` are multiples of 4, not shorter than the instruction with its operand, and do
///   not lead further than four bytes behind the end;
/// * a `no` inside the program leads to an instruction the walk passes.
pub fn audit(program: &[u8], net_admin: bool) -> Result<(), Refusal> {
    use Refusal::Malformed;
    if program.len() < HEAD {
        return Err(Malformed("no instruction"));
    }
    let starts = walk(program)?;
    for &start in &starts {
        let rest = program.get(start..).unwrap_or_default();
        let [code, yes, low, high, ..] = *rest else {
            return Err(Malformed("a head that is cut"));
        };
        let no = usize::from(u16::from_ne_bytes([low, high]));
        let operand = match code {
            0 | JMP | AUTO => 0,
            S_GE..=D_LE | S_EQ | D_EQ | DEV_COND => 4,
            MARK_COND if !net_admin => return Err(Refusal::NeedsNetAdmin),
            MARK_COND | CGROUP_COND => 8,
            S_COND | D_COND => host_length(rest)?,
            _ => return Err(Malformed("an unknown code")),
        };
        let least = HEAD + operand;
        if rest.len() < least {
            return Err(Malformed("an operand that is cut"));
        }
        let farthest = rest.len() + HEAD;
        if usize::from(yes) < least || usize::from(yes) > farthest {
            return Err(Malformed("a yes out of bounds"));
        }
        // A NOP has no `no`.
        if code == 0 {
            continue;
        }
        if no < least || no > farthest || no % 4 != 0 {
            return Err(Malformed("a no out of bounds"));
        }
        if no < rest.len() && !starts.contains(&(start + no)) {
            return Err(Malformed("a no into the middle of an instruction"));
        }
    }
    Ok(())
}

/// Where instructions begin, walked by `yes`.
fn walk(program: &[u8]) -> Result<std::collections::BTreeSet<usize>, Refusal> {
    let mut starts = std::collections::BTreeSet::new();
    let mut at = 0;
    while at < program.len() {
        starts.insert(at);
        let yes = program.get(at + 1).copied().map_or(0, usize::from);
        if yes < HEAD || yes % 4 != 0 {
            return Err(Refusal::Malformed("a yes out of bounds"));
        }
        at += yes;
    }
    if at == program.len() { Ok(starts) } else { Err(Refusal::Malformed("it ends beside its end")) }
}

/// Length of a host condition: its address depends on its family.
fn host_length(instruction: &[u8]) -> Result<usize, Refusal> {
    let &[_, _, _, _, family, prefix, ..] = instruction else {
        return Err(Refusal::Malformed("an operand that is cut"));
    };
    let address: usize = match Family::from_number(family) {
        Some(Family::Ipv4) => 4,
        Some(_) => 16,
        None if family == 0 => 0,
        None => return Err(Refusal::Malformed("an unknown family")),
    };
    if usize::from(prefix) > address * 8 {
        return Err(Refusal::Malformed("a prefix longer than its address"));
    }
    Ok(8 + address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write;
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    #[test]
    fn a_conjunction_has_the_bytes_the_kernel_documents() {
        let mut assembler = Assembler::default();
        assembler.test(&Test::PortAtLeast(End::Local, 8080), Assembler::REJECT);
        let net = Test::Host(End::Peer, Ipv4Addr::new(127, 0, 0, 0).into(), 8);
        assembler.test(&net, Assembler::REJECT);
        let program = assembler.finish().unwrap();
        let expected =
            if cfg!(target_endian = "little") { "02081c0000" } else { "0208001c00" }.to_owned();
        assert!(hex(program.bytes()).starts_with(&expected), "{}", hex(program.bytes()));
        assert_eq!(program.bytes().len(), 24);
        assert_eq!(program.bytes()[8..14], [8, 16, program.bytes()[10], program.bytes()[11], 2, 8]);
        assert_eq!(program.bytes()[16..], [255, 255, 255, 255, 127, 0, 0, 0]);
        assert_eq!(audit(program.bytes(), false), Ok(()));
    }

    #[test]
    fn the_audit_refuses_what_the_kernel_refuses() {
        let head = |code: u8, yes: u8, no: u16| {
            let [low, high] = no.to_ne_bytes();
            vec![code, yes, low, high]
        };
        let operand = |mut head: Vec<u8>, operand: &[u8]| {
            head.extend(operand);
            head
        };
        for (bytes, why) in [
            (vec![], "empty"),
            (vec![1, 4], "cut"),
            (head(99, 4, 4), "unknown code"),
            (head(AUTO, 0, 8), "no step"),
            (head(AUTO, 6, 8), "unaligned yes"),
            (head(AUTO, 8, 8), "yes behind the end"),
            (head(AUTO, 4, 6), "unaligned no"),
            (head(AUTO, 4, 12), "no too far"),
            (head(AUTO, 4, 0), "no backwards"),
            (head(S_EQ, 8, 8), "operand cut"),
            (operand(head(S_EQ, 4, 12), &[0; 4]), "yes into the operand"),
            (operand(head(S_COND, 16, 16), &[2, 33, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]), "prefix"),
            (operand(head(S_COND, 12, 12), &[9, 0, 0, 0, 0, 0, 0, 0]), "family"),
            (operand(head(S_COND, 12, 12), &[2, 0, 0, 0, 0, 0, 0, 0]), "address cut"),
            (
                [head(AUTO, 4, 8), operand(head(S_EQ, 8, 12), &[0; 4])].concat(),
                "no into an operand",
            ),
        ] {
            assert!(audit(&bytes, true).is_err(), "{why}");
        }
        assert_eq!(audit(&head(AUTO, 4, 8), true), Ok(()));
        let mark = operand(head(MARK_COND, 12, 16), &[0; 8]);
        assert_eq!(audit(&mark, false), Err(Refusal::NeedsNetAdmin));
        assert_eq!(audit(&mark, true), Ok(()));
    }

    #[test]
    fn a_program_longer_than_its_jumps_is_no_program() {
        let long = |count: usize| {
            let mut assembler = Assembler::default();
            for _ in 0..count {
                assembler.test(&Test::PortIs(End::Local, 1), Assembler::REJECT);
            }
            assembler.finish()
        };
        let longest = long(LONGEST / 8).expect("it just fits");
        assert_eq!(audit(longest.bytes(), false), Ok(()));
        assert_eq!(long(LONGEST / 8 + 1), None);
    }
}
