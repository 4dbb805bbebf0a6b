//! The one table of columns. A column's id is its name in `--columns`, `--sort`, `--group-by`,
//! filters, CSV, the manual and completion; its JSON place is the same word, nested, with its unit.

pub mod column;
pub mod definition;
pub mod details;
pub mod end;
pub mod families;
pub mod need;
pub mod owner;
pub mod peer;
pub mod row;
pub mod tcp;
pub mod value;

use definition::Field;
use std::sync::LazyLock;

static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let plain =
        column::FIELDS.iter().chain(owner::FIELDS).chain(peer::FIELDS).chain(details::FIELDS);
    plain.copied().chain(tcp::fields()).chain(families::fields()).collect()
});

/// Every column, in the order of the manual.
pub fn all() -> &'static [Field] {
    &FIELDS
}

/// The column with this id or JSON place.
pub fn find(name: &str) -> Option<&'static Field> {
    let name = name.to_ascii_lowercase();
    all().iter().find(|f| f.id == name || f.json == name)
}

/// The id nearest to a mistyped one, if any is near.
pub fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let nearest = all().iter().map(|f| (strsim::jaro_winkler(&name, f.id), f.id));
    let best = nearest.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.75).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::{
        need::Need,
        row::{Context, Row},
        *,
    };
    use crate::{
        kernel::cgroup_tree::CgroupTree,
        model::{
            protocol::{Family, Protocol},
            socket::Socket,
            state::State,
        },
    };
    use std::{
        collections::{BTreeMap, BTreeSet},
        fmt::Write,
    };

    #[test]
    fn the_table_is_lawful() {
        let mut ids = BTreeSet::new();
        let mut places = BTreeSet::new();
        for f in all() {
            assert!(ids.insert(f.id), "{} twice", f.id);
            assert!(places.insert(f.json), "{} twice", f.json);
            let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c);
            assert!(f.id.chars().all(lawful) && f.json.chars().all(lawful), "{}", f.id);
            assert!(!f.source.is_empty() && !f.header.is_empty(), "{}", f.id);
            assert!(f.summary.len() <= 72, "{}: {}", f.id, f.summary.len());
            assert!(!f.header.contains(' '), "{}: one word for each heading", f.id);
        }
    }

    #[test]
    fn either_name_finds_a_column_and_a_typo_its_neighbour() {
        assert_eq!(find("rtt").map(|f| f.json), Some("tcp_info.rtt_us"));
        assert_eq!(find("tcp_info.rtt_us").map(|f| f.id), Some("rtt"));
        assert_eq!(find("PEER.PORT").map(|f| f.id), Some("peer.port"));
        assert_eq!(nearest("recvqueue"), Some("recv_queue"));
        assert_eq!(nearest("zzzz"), None);
    }

    #[test]
    fn a_column_of_what_comes_unasked_says_that_it_needs_it() {
        let bare = Socket::new(Protocol::Tcp, Family::Ipv6, State::Listen);
        let told = Socket {
            mark: Some(7),
            cgroup_id: Some(7),
            shutdown: Some(1),
            v6only: Some(true),
            sockopt: Some([1, 1]),
            ..bare.clone()
        };
        let cgroups = CgroupTree::recorded(&BTreeMap::from([(7, "/a.service".to_owned())]));
        let context = Context { cgroups, ..Context::default() };
        let of = |socket, field: &Field| {
            let mut text = String::new();
            write!(text, "{:?}", field.value(Row { socket, context: &context })).unwrap();
            if text.contains("List") { field.id.to_owned() } else { text }
        };
        let mut depend = 0;
        for field in all() {
            let is_list = field.unit == "list" && field.id == "sockopt";
            if is_list || of(&bare, field) != of(&told, field) {
                depend += 1;
                let needs = [Need::UNASKED, Need::CGROUPS, Need::MARK];
                assert!(needs.iter().any(|need| field.need.includes(*need)), "{}", field.id);
            }
        }
        assert!(depend >= 5, "{depend}");
    }
}
