//! Names in a filter that stand for nothing where it is asked: no interface, cgroup or user is
//! called so, and what is tested can never hold.

use super::{
    ast::{Expr, Interface, Test, What},
    directory::Place,
    error::FilterError,
    pattern::Pattern,
    words,
};

/// The first such name, with what there is.
///
/// A pattern may stand for nothing yet, and so may the name of a process or a container, which come
/// and go.
pub fn find(expr: &Expr, place: &dyn Place) -> Option<FilterError> {
    expr.tests().into_iter().find_map(|test| of_test(test, place))
}

fn of_test(Test { what, span }: &Test, place: &dyn Place) -> Option<FilterError> {
    let wrong = |message, hint| Some(FilterError::new(span.clone(), message, hint));
    match what {
        What::Interface(interfaces) => {
            let known = place.interfaces();
            let name = interfaces.iter().filter_map(literal).find(|name| !known.contains(name))?;
            let near = words::near(&name, known.iter().map(|known| (known.clone(), known)));
            let near = near.map_or(String::new(), |near| format!("did you mean `dev {near}`? "));
            wrong(
                format!("no interface is called `{name}` here"),
                format!(
                    "{near}there is {}; for one that is still to come write `dev {name}*`",
                    known.join(", ")
                ),
            )
        }
        What::Name(column, patterns) => {
            let names = patterns.iter().filter_map(Pattern::literal);
            match column.0.id {
                "cgroup" => {
                    let path =
                        names.into_iter().find(|path| place.has_cgroup(path) == Some(false))?;
                    let above = above(&path, place);
                    wrong(
                        format!("there is no cgroup `{path}`"),
                        format!(
                            "`{above}` is there; what is below it is `cgroup = {}`",
                            below(&above)
                        ),
                    )
                }
                "user" => {
                    let name =
                        names.into_iter().find(|name| place.has_user(name) == Some(false))?;
                    wrong(
                        format!("no user is called `{name}` on this machine"),
                        "write the number that another machine or a container gave it, as in `uid = 1000`"
                            .to_owned(),
                    )
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn literal(interface: &Interface) -> Option<String> {
    match interface {
        Interface::Name(pattern) => pattern.literal(),
        Interface::Index(_) => None,
    }
}

/// The nearest cgroup above a path that is there.
fn above(path: &str, place: &dyn Place) -> String {
    let mut path = path;
    while let Some((parent, _)) = path.trim_end_matches('/').rsplit_once('/') {
        if place.has_cgroup(parent) == Some(true) && !parent.is_empty() {
            return parent.to_owned();
        }
        path = parent;
    }
    "/".to_owned()
}

fn below(path: &str) -> String {
    format!("{}/*", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Filter, directory::Empty};

    struct Host;

    impl Place for Host {
        fn interfaces(&self) -> Vec<String> {
            vec!["lo".to_owned(), "eth0".to_owned()]
        }

        fn has_cgroup(&self, path: &str) -> Option<bool> {
            Some(["/", "/system.slice", "/system.slice/nginx.service"].contains(&path))
        }

        fn has_user(&self, name: &str) -> Option<bool> {
            (name != "ldap").then_some(name == "root")
        }
    }

    #[test]
    fn a_name_that_stands_for_nothing_is_told_with_what_there_is() {
        for (text, message, hint) in [
            ("dev eth9", "no interface is called `eth9`", "`dev eth0`"),
            ("not dev in lo,wlan0", "no interface is called `wlan0`", "lo, eth0"),
            ("local.interface != tun0", "no interface is called `tun0`", "`dev tun0*`"),
            ("cgroup = /system.slice/ngin.service", "no cgroup", "`cgroup = /system.slice/*`"),
            ("cgroup /x/y or sport = 1", "no cgroup `/x/y`", "`cgroup = /*`"),
            ("user = nosuch and dport = 1", "no user is called `nosuch`", "`uid = 1000`"),
        ] {
            let filter = Filter::parse(text, &Empty).unwrap();
            let error = filter.absent(&Host).expect(text);
            assert!(error.message.contains(message) && error.hint.contains(hint), "{error}");
            for written in error.hint.split('`').skip(1).step_by(2).filter(|w| w.contains(' ')) {
                assert!(Filter::parse(written, &Empty).is_ok(), "{written}");
            }
        }
        for text in [
            "dev lo",
            "dev 7",
            "dev eth9*",
            "cgroup = /",
            "cgroup = /x*",
            "user = root",
            "user = 4711",
            "user = ldap",
            "process = nosuch and container = nosuch",
        ] {
            assert_eq!(Filter::parse(text, &Empty).unwrap().absent(&Host), None, "{text}");
        }
    }

    #[test]
    fn the_carets_are_under_the_test() {
        let filter = Filter::parse("dport = 1 and dev eth9", &Empty).unwrap();
        let shown = filter.absent(&Host).unwrap().excerpt();
        assert_eq!(shown, "  | dport = 1 and dev eth9\n  |               ^^^^^^^^");
    }
}
