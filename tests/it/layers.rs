//! The laws of ARCHITECTURE.md, read off the source. A new edge is a design decision: it is made here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};
use syn::{UseTree, visit::Visit};

/// Bottom first. A room may import itself and rooms before it.
const LAYERS: &[&str] = &[
    "model", "kernel", "field", "filter", "collect", "report", "doctor", "explain", "view", "cli",
];
/// Names that say nothing.
const EMPTY: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "misc", "types", "manager", "service",
    "services", "shared", "general",
];

/// A source file as a module path below the crate (`kernel/proc/root`), with the modules it uses.
struct Module {
    path: String,
    text: String,
    uses: BTreeSet<String>,
}

#[test]
fn rooms_import_downward_only() {
    let mut wrong = vec![];
    for module in modules() {
        let Some(own) = rank(&module.path) else {
            continue;
        };
        for used in &module.uses {
            match rank(used) {
                None => {
                    wrong.push(format!("{}: imports `{used}`, which is in no layer", module.path));
                }
                Some(at) if at > own => {
                    wrong.push(format!("{}: imports `{used}`, which lies above", module.path));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_lies_in_a_layer() {
    let outside: Vec<String> = modules()
        .into_iter()
        .map(|m| m.path)
        .filter(|p| rank(p).is_none() && p != "lib" && p != "main")
        .collect();
    assert!(outside.is_empty(), "add these to LAYERS or move them: {outside:?}");
}

#[test]
fn files_do_not_import_each_other_in_circles() {
    let modules = modules();
    let known: BTreeSet<&str> = modules.iter().map(|m| m.path.as_str()).collect();
    // A use names a file, or an item of one: the longest prefix that is a file is what is imported.
    let file_of = |used: &str| {
        let mut part = used;
        loop {
            if known.contains(part) {
                return Some(part.to_owned());
            }
            part = part.rsplit_once('/')?.0;
        }
    };
    let edges: BTreeMap<&str, BTreeSet<String>> = modules
        .iter()
        .map(|m| {
            let files = m.uses.iter().filter_map(|used| file_of(used));
            (m.path.as_str(), files.filter(|f| *f != m.path).collect())
        })
        .collect();
    for start in edges.keys() {
        let (mut todo, mut seen) = (vec![(*start).to_owned()], BTreeSet::new());
        while let Some(file) = todo.pop() {
            for next in edges.get(file.as_str()).into_iter().flatten() {
                assert!(next != start, "{start} imports itself through {file}");
                if seen.insert(next.clone()) {
                    todo.push(next.clone());
                }
            }
        }
    }
}

#[test]
fn files_are_named_after_what_they_hold() {
    let wrong: Vec<String> = modules()
        .into_iter()
        .map(|m| m.path)
        .filter(|p| p.split('/').any(|part| EMPTY.contains(&part)))
        .collect();
    assert!(wrong.is_empty(), "name these after a fact they hold: {wrong:?}");
}

#[test]
fn only_the_kernel_room_opens_files_and_only_view_and_cli_write() {
    let opens = [
        "File::open",
        "fs::read_dir",
        "fs::metadata",
        "UdpSocket",
        "TcpStream",
        "Connection::open()",
    ];
    let writes = ["io::stdout", "io::stderr"];
    let mut wrong = vec![];
    for Module { path, text, .. } in modules() {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let found =
            |words: &[&str]| words.iter().find(|w| code.contains(**w)).map(|w| (*w).to_owned());
        // `collect` decides which source is opened; the opening itself is the kernel room's.
        if !path.starts_with("kernel")
            && path != "collect/tables"
            && let Some(word) = found(&opens)
        {
            wrong.push(format!("{path}: {word}"));
        }
        if !path.starts_with("view")
            && !path.starts_with("cli")
            && let Some(word) = found(&writes)
        {
            wrong.push(format!("{path}: {word}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The file that may have `unsafe` in it, which the compiler denies everywhere else unless a file
/// allows it to itself.
const AUDITED: &str = "kernel/syscall";

#[test]
fn only_the_audited_file_is_unsafe_and_each_such_place_says_why_it_is_sound() {
    let mut places = 0;
    for Module { path, text, .. } in modules() {
        let words = |line: &str, word: &str| {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            line.split("//").next().unwrap_or("").split(|c| !is_word(c)).any(|w| w == word)
        };
        if path != AUDITED {
            let wrong = text.lines().find(|line| {
                words(line, "unsafe") || words(line, "unsafe_code") || line.contains("no_mangle")
            });
            assert_eq!(wrong, None, "{path}");
            continue;
        }
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| words(line, "unsafe")) {
            places += 1;
            // Above the statement or the function, in one block of comments.
            let above = lines[..at].iter().rev();
            let statement = above.skip_while(|l| !l.starts_with("//") && !l.ends_with([';', '}']));
            let comment = statement.take_while(|l| l.starts_with("//"));
            let is_argued =
                comment.into_iter().any(|l| l.contains("SAFETY:") || l.contains("# Safety"));
            assert!(is_argued, "{path}:{}: {line}", at + 1);
        }
    }
    assert!(places > 0, "the test looks for nothing");
}

fn rank(path: &str) -> Option<usize> {
    let room = path.split('/').next()?;
    LAYERS.iter().position(|layer| *layer == room)
}

fn modules() -> Vec<Module> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut modules = vec![];
    let mut todo = vec![root.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                todo.push(file);
            } else if file.extension().is_some_and(|e| e == "rs") {
                let path = file.strip_prefix(root).unwrap().with_extension("");
                let path = path.to_str().unwrap();
                let path = path.strip_suffix("/mod").unwrap_or(path).to_owned();
                #[expect(clippy::disallowed_methods, reason = "a test reads the source")]
                let text = fs::read_to_string(&file).unwrap();
                modules.push(read(path, text));
            }
        }
    }
    modules
}

fn read(path: String, text: String) -> Module {
    let mut file = syn::parse_file(&text).unwrap();
    file.items.retain(|item| !matches!(item, syn::Item::Mod(m) if m.ident == "tests"));
    let mut uses = Uses { base: path.clone(), found: BTreeSet::new() };
    uses.visit_file(&file);
    Module { path, text, uses: uses.found }
}

struct Uses {
    base: String,
    found: BTreeSet<String>,
}

impl Uses {
    /// `crate::a::b` or `super::b` as a path below the crate.
    fn add(&mut self, segments: &[String]) {
        let parent = |path: &str| path.rsplit_once('/').map_or("", |(up, _)| up).to_owned();
        let mut rest = segments.iter();
        let mut at = match rest.next().map(String::as_str) {
            Some("crate") => String::new(),
            Some("super") => parent(&self.base),
            Some("self") => self.base.clone(),
            _ => return,
        };
        for segment in rest {
            if segment == "super" {
                at = parent(&at);
            } else {
                at = if at.is_empty() { segment.clone() } else { format!("{at}/{segment}") };
            }
        }
        if !at.is_empty() && at != self.base {
            self.found.insert(at);
        }
    }

    fn tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            UseTree::Name(name) => self.add(&with(&name.ident)),
            UseTree::Rename(rename) => self.add(&with(&rename.ident)),
            UseTree::Glob(_) => self.add(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, before)),
        }
    }
}

impl<'ast> Visit<'ast> for Uses {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.add(&segments);
        syn::visit::visit_path(self, path);
    }
}
