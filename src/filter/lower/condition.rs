//! A condition, and the program that decides it.

use crate::kernel::sock_diag::bytecode::{self, Assembler, Label, Program};

/// A condition of tests the kernel makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Constant(bool),
    Test(bytecode::Test),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    /// If the test holds the first condition, else the second.
    Choice(bytecode::Test, Box<(Condition, Condition)>),
}

impl Condition {
    /// All of them (`settling` false), or any of them (`settling` true).
    pub(super) fn joined(parts: impl Iterator<Item = Self>, settling: bool) -> Self {
        let mut kept = vec![];
        for part in parts {
            match part {
                Self::Constant(constant) if constant == settling => {
                    return Self::Constant(settling);
                }
                Self::Constant(_) => {}
                other => kept.push(other),
            }
        }
        match (kept.len(), kept.pop()) {
            (1, Some(part)) => part,
            (_, Some(last)) => {
                kept.push(last);
                if settling { Self::Or(kept) } else { Self::And(kept) }
            }
            (_, None) => Self::Constant(!settling),
        }
    }

    /// What holds where it does not.
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Constant(constant) => Self::Constant(!constant),
            Self::Not(part) => *part,
            other => Self::Not(Box::new(other)),
        }
    }

    /// Its program. `None`: longer than the kernel takes.
    pub(super) fn assembled(&self) -> Option<Program> {
        let mut assembler = Assembler::default();
        self.emit(&mut assembler, Assembler::ACCEPT, Assembler::REJECT, Assembler::ACCEPT);
        assembler.finish()
    }

    /// As many parts of a conjunction as fit: alone they are as long as among the others.
    pub(super) fn shortened(&self) -> Option<Program> {
        let Self::And(parts) = self else {
            return None;
        };
        let mut room = bytecode::LONGEST;
        let mut kept = vec![];
        for part in parts {
            let length = part.assembled().map(|program| program.bytes().len());
            if let Some(left) = length.and_then(|length| room.checked_sub(length)) {
                room = left;
                kept.push(part.clone());
            }
        }
        Self::joined(kept.into_iter(), false).assembled().filter(|program| !program.is_empty())
    }

    /// Writes the instructions; `next` is the place behind them.
    fn emit(&self, to: &mut Assembler, yes: Label, no: Label, next: Label) {
        match self {
            Self::Constant(constant) => {
                let target = if *constant { yes } else { no };
                if target != next {
                    to.jump(target);
                }
            }
            Self::Test(test) => {
                to.test(test, no);
                if yes != next {
                    to.jump(yes);
                }
            }
            Self::Not(part) => part.emit(to, no, yes, next),
            Self::Choice(test, parts) => {
                let otherwise = to.label();
                to.test(test, otherwise);
                parts.0.emit(to, yes, no, otherwise);
                to.bind(otherwise);
                parts.1.emit(to, yes, no, next);
            }
            Self::And(parts) | Self::Or(parts) => {
                let is_and = matches!(self, Self::And(_));
                let Some((last, first)) = parts.split_last() else {
                    return Self::Constant(is_and).emit(to, yes, no, next);
                };
                for part in first {
                    let behind = to.label();
                    let (yes, no) = if is_and { (behind, no) } else { (yes, behind) };
                    part.emit(to, yes, no, behind);
                    to.bind(behind);
                }
                last.emit(to, yes, no, next);
            }
        }
    }
}
