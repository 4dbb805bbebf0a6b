//! What the list consists of: sockets, folded TIME_WAIT, groups with or without their sockets.

use super::{
    grouping::{Group, GroupKey, Grouping, Side},
    order::{By, Ordered, Sort},
    rows::{Shown, Slot},
    scene::Scene,
};
use crate::{collect::live::entry::Key, model::state::State};
use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

/// What a line is, whatever its place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LineId {
    /// A socket.
    Socket(Key),
    /// A group.
    Group(GroupKey),
}

/// One line of the list.
#[derive(Debug, Clone)]
pub enum Line {
    /// A socket; whether it stands below its group.
    Socket(Slot, bool),
    /// A group, and whether its sockets stand below it.
    Group(GroupKey, Box<Group>, bool),
}

/// What is listed and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// One state alone.
    pub chip: Option<State>,
    /// By what sockets are grouped.
    pub grouping: Option<Grouping>,
    /// Whether TIME_WAIT is folded by destination.
    pub fold: bool,
    /// Groups whose sockets are shown.
    pub open: HashSet<GroupKey>,
    /// The order.
    pub by: By,
}

impl Shape {
    /// The group of a row. `None`: it stands alone.
    fn group(&self, scene: &Scene, row: &Shown) -> Option<GroupKey> {
        let side = || scene.side(row);
        match self.grouping {
            Some(grouping) => Some(GroupKey::of(grouping, row, side(), &scene.rows.holders)),
            None if self.fold && row.entry.state == State::TimeWait => {
                Some(GroupKey::closed(&row.entry, side()))
            }
            None => None,
        }
    }
}

/// Where groups stand, by their places among the lines.
pub type Places = HashMap<GroupKey, usize>;

/// Makes the list, in the order of the rows. Groups are ordered by their sums, unless `before` tells
/// where they stood: then they stay.
pub fn list(scene: &Scene, ordered: &Ordered, shape: &Shape, before: Option<&Places>) -> Vec<Line> {
    let mut groups: HashMap<GroupKey, (Group, Vec<Slot>)> = HashMap::new();
    let mut lines = vec![];
    for slot in ordered.slots() {
        let Some(row) = scene.rows.get(*slot) else { continue };
        if shape.chip.is_some_and(|state| state != row.entry.state) {
            continue;
        }
        match shape.group(scene, row) {
            None => lines.push(Line::Socket(*slot, false)),
            Some(key) => {
                let is_open = shape.open.contains(&key);
                let (group, members) = groups.entry(key).or_default();
                group.add(row, scene.traffic.of(&row.entry.key), scene.now);
                if is_open {
                    members.push(*slot);
                }
            }
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    // What stood somewhere stays there; what is new comes last, the largest first.
    let place =
        |key: &GroupKey| before.map(|before| before.get(key).copied().unwrap_or(usize::MAX));
    groups.sort_by(|(a, (x, _)), (b, (y, _))| {
        place(a)
            .cmp(&place(b))
            .then_with(|| compare(x, y, shape.by))
            .then_with(|| y.count.cmp(&x.count))
            .then_with(|| a.cmp(b))
    });
    for (key, (group, members)) in groups {
        let is_open = shape.open.contains(&key);
        lines.push(Line::Group(key, Box::new(group), is_open));
        lines.extend(members.into_iter().map(|slot| Line::Socket(slot, true)));
    }
    lines
}

fn compare(a: &Group, b: &Group, by: By) -> Ordering {
    let rate = |x: Option<f32>, y: Option<f32>| x.unwrap_or(-1.0).total_cmp(&y.unwrap_or(-1.0));
    let order = match (by.sort, by.totals) {
        (Sort::Received, false) => rate(a.rates.received, b.rates.received),
        (Sort::Received, true) => a.received.cmp(&b.received),
        (Sort::Sent, false) => rate(a.rates.sent, b.rates.sent),
        (Sort::Sent, true) => a.sent.cmp(&b.sent),
        (Sort::Retransmitted, false) => rate(a.rates.retransmitted, b.rates.retransmitted),
        (Sort::Retransmitted, true) => a.retransmitted.cmp(&b.retransmitted),
        (Sort::Rtt, _) => a.rtt_us().cmp(&b.rtt_us()),
        (Sort::Sockets, _) => a.count.cmp(&b.count),
        (Sort::Age, _) => a.seen.cmp(&b.seen),
        (Sort::Waiting, _) => a.waiting.cmp(&b.waiting),
        // By name: the order of the keys.
        _ => Ordering::Equal,
    };
    if by.descending { order.reverse() } else { order }
}

impl Line {
    /// What it is.
    pub fn id(&self, scene: &Scene) -> Option<LineId> {
        match self {
            Self::Socket(slot, _) => Some(LineId::Socket(scene.rows.get(*slot)?.entry.key)),
            Self::Group(key, ..) => Some(LineId::Group(key.clone())),
        }
    }

    /// The side of a folded or listed row that opened it, for its arrow. `None`: no connection.
    pub fn side(&self, scene: &Scene) -> Option<Side> {
        match self {
            Self::Socket(slot, _) => Some(scene.side(scene.rows.get(*slot)?)),
            Self::Group(GroupKey::ClosedIn(_), ..) => Some(Side::In),
            Self::Group(GroupKey::ClosedOut(_), ..) => Some(Side::Out),
            Self::Group(..) => None,
        }
    }
}

/// Where groups stand.
pub fn places(lines: &[Line]) -> Places {
    let place = |(index, line): (usize, &Line)| match line {
        Line::Group(key, ..) => Some((key.clone(), index)),
        Line::Socket(..) => None,
    };
    lines.iter().enumerate().filter_map(place).collect()
}
