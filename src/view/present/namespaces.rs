//! Reports of several network namespaces, one below the other.

use super::page::{Page, shown};
use crate::{
    model::netns::{NameKind, Netns},
    view::document::Document,
};

/// Names listed at most; the others are counted.
const LISTED: usize = 12;

/// The line above the report of a namespace; a blank line before it, where it is not the first.
pub fn heading(netns: &Netns, below_another: bool) -> Document {
    let mut page = Page::default();
    if below_another {
        page.blank();
    }
    let name = shown(netns.title().as_bytes());
    let text = match (netns.kind, netns.inode) {
        (None | Some(NameKind::Named | NameKind::Mount), _) => format!("netns {name}"),
        (Some(NameKind::Host), _) => "netns of the host".to_owned(),
        (Some(NameKind::Socket), _) => format!("netns of a socket of {name}"),
        (Some(kind), _) => format!("netns of {} {name}", kind.name()),
    };
    page.heading(&text);
    page.document
}

/// One sentence about namespaces that have no report: `No socket in web, db`. Nothing where there
/// are none of those.
pub fn listed<'n>(first: &str, netns: impl Iterator<Item = &'n Netns>) -> Document {
    let names: Vec<String> = netns.map(|netns| shown(netns.title().as_bytes())).collect();
    let mut page = Page::default();
    if names.is_empty() {
        return page.document;
    }
    let listed = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    page.blank();
    page.paragraph(first, 2, &format!("{listed}{more}"));
    page.document
}
