//! Segments between two sides, with the state each side is in: data, and how it is drawn.

use crate::model::state::State;

/// A conversation, drawn from top to bottom.
#[derive(Debug)]
pub struct Exchange {
    /// Who stands left.
    pub left: &'static str,
    /// Who stands right.
    pub right: &'static str,
    /// What happens, in order.
    pub steps: &'static [Step],
}

/// One line of it: a segment with the states after it was sent and received, or a call.
#[derive(Debug)]
pub struct Step {
    /// State of the left side, and a word beside it.
    pub left: (Option<State>, &'static str),
    /// What travels.
    pub segment: Segment,
    /// State of the right side, and a word beside it.
    pub right: (Option<State>, &'static str),
}

/// What travels between the sides.
#[derive(Debug)]
pub enum Segment {
    /// Nothing.
    Nothing,
    /// A segment from left to right.
    Right(&'static str),
    /// A segment from right to left.
    Left(&'static str),
    /// The same segment both ways at once; the two cross on the wire.
    Both(&'static str),
}

/// Columns of the left side.
const LEFT: usize = 17;
/// Columns of the segments.
const WIRE: usize = 28;

impl Exchange {
    /// Every state that occurs, left and right.
    pub fn states(&self) -> impl Iterator<Item = State> {
        self.steps.iter().flat_map(|step| [step.left.0, step.right.0]).flatten()
    }

    /// The drawing: ASCII, at most 76 columns.
    pub fn draw(&self) -> String {
        let mut out = format!("{:LEFT$}{:WIRE$}  {}\n", self.left, "", self.right);
        for step in self.steps {
            let left = side(step.left);
            let line = format!("{left:LEFT$}{}  {}", wire(&step.segment), side(step.right));
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

fn side((state, word): (Option<State>, &str)) -> String {
    match state {
        None => word.to_owned(),
        Some(state) if word.is_empty() => state.name().to_owned(),
        Some(state) => format!("{} {word}", state.name()),
    }
}

fn wire(segment: &Segment) -> String {
    match segment {
        Segment::Nothing => " ".repeat(WIRE),
        Segment::Right(name) => {
            format!("---- {name} {}>", "-".repeat(WIRE.saturating_sub(name.len() + 7)))
        }
        Segment::Left(name) => {
            format!("<--- {name} {}", "-".repeat(WIRE.saturating_sub(name.len() + 6)))
        }
        Segment::Both(name) => {
            let half = WIRE / 2 - 1;
            let dashes = "-".repeat(half.saturating_sub(name.len() + 4));
            format!("{name} {dashes}-->  <--{dashes} {name}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_fill_the_wire_and_point_where_the_segment_goes() {
        for segment in [Segment::Right("SYN + ACK"), Segment::Left("FIN"), Segment::Both("ACK")] {
            assert_eq!(wire(&segment).len(), WIRE, "{segment:?}");
        }
        assert!(wire(&Segment::Right("SYN")).ends_with('>'));
        assert!(wire(&Segment::Left("SYN")).starts_with('<'));
    }
}
