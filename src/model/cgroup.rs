//! What a cgroup path tells of a process: its systemd unit, its container and its pod.

/// Length of a container id as docker, containerd, CRI-O and podman write it.
const ID: usize = 64;
/// How much of an id people and `docker ps` use.
pub const SHORT_ID: usize = 12;

/// The systemd unit a path belongs to: its innermost service or scope (`nginx.service`).
pub fn unit(path: &str) -> Option<&str> {
    path.rsplit('/').find(|part| {
        [".service", ".scope"].iter().any(|end| part.len() > end.len() && part.ends_with(end))
    })
}

/// The container a path belongs to: the first twelve characters of its id, or the name where the
/// path has one (LXC, systemd-nspawn). The innermost one, where containers are nested.
pub fn container(path: &str) -> Option<String> {
    Some(match innermost(path)? {
        Found::Id(id) => id.get(..SHORT_ID)?.to_owned(),
        Found::Name(name) => unescaped(name),
    })
}

/// The whole id of the container a path belongs to, where the path has an id.
pub fn container_id(path: &str) -> Option<&str> {
    match innermost(path)? {
        Found::Id(id) => Some(id),
        Found::Name(_) => None,
    }
}

/// The uid of the pod a path belongs to: kubelet's, with the hyphens that systemd's names cannot
/// have, or the first twelve characters of podman's.
pub fn pod(path: &str) -> Option<String> {
    path.split('/').rev().find_map(|part| {
        let name = part.strip_suffix(".slice").unwrap_or(part);
        if let Some((_, id)) = name.rsplit_once("libpod_pod_") {
            return id.get(..SHORT_ID).filter(|_| is_id(id)).map(str::to_owned);
        }
        let (before, uid) = name.rsplit_once("pod")?;
        // `kubepods-burstable-podUID.slice` of systemd, `podUID` of cgroupfs. A uid is a UUID, or
        // 32 digits where a file of the node made the pod.
        let is_place = before.is_empty() || before.ends_with('-');
        let digits = uid.bytes().filter(u8::is_ascii_hexdigit).count();
        let is_uid =
            digits == 32 && uid.bytes().all(|b| b.is_ascii_hexdigit() || b"-_".contains(&b));
        (is_place && is_uid).then(|| uid.replace('_', "-"))
    })
}

/// What a part of a path tells of a container.
enum Found<'p> {
    Id(&'p str),
    Name(&'p str),
}

/// Patterns of docker (`/docker/ID`, `docker-ID.scope`), containerd (`cri-containerd-ID.scope`,
/// `/kubepods/…/ID`), CRI-O (`crio-ID.scope`), podman (`libpod-ID.scope`), LXC
/// (`/lxc/NAME`, `/lxc.payload.NAME`) and nspawn (`machine-NAME.scope`,
/// `systemd-nspawn@NAME.service/payload`).
fn innermost(path: &str) -> Option<Found<'_>> {
    let mut found = None;
    let mut before = "";
    for part in path.split('/') {
        found = container_of(before, part).or(found);
        before = part;
    }
    found
}

fn container_of<'a>(parent: &'a str, part: &'a str) -> Option<Found<'a>> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    // conmon watches a container from outside.
    if name.contains("-conmon-") {
        return None;
    }
    if matches!(parent, "lxc" | "lxc.payload") {
        return Some(Found::Name(part));
    }
    // Beside it `supervisor` is the part of nspawn that is outside.
    let nspawn = parent.strip_prefix("systemd-nspawn@").and_then(|n| n.strip_suffix(".service"));
    if let Some(name) = nspawn.filter(|_| part == "payload") {
        return Some(Found::Name(name));
    }
    for prefix in ["lxc.payload.", "machine-"] {
        // `machine-libpod_pod_ID.slice` is around containers.
        let is_around = part.strip_suffix(".slice").is_some();
        if let Some(name) = name.strip_prefix(prefix).filter(|n| !n.is_empty() && !is_around) {
            return Some(Found::Name(name));
        }
    }
    let id = name.rsplit(['-', ':']).next()?;
    is_id(id).then_some(Found::Id(id))
}

fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A name as it was before systemd made a unit of it: `\x2d` is a hyphen (systemd.unit(5)).
fn unescaped(name: &str) -> String {
    let mut parts = name.split("\\x");
    let mut plain = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = byte {
            plain.push(byte);
            plain.extend(part.as_bytes().iter().skip(2));
        } else {
            plain.extend(b"\\x");
            plain.extend(part.as_bytes());
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f4b1cbb1f0f6a2dd2b1a2a7c1e6f6a5b6b7c8d9e0f1a2b3c4d5e6f708192a3b";

    #[test]
    fn containers_are_known_by_their_path() {
        for (path, name) in [
            (format!("/system.slice/docker-{ID}.scope"), Some("3f4b1cbb1f0f")),
            (format!("/docker/{ID}"), Some("3f4b1cbb1f0f")),
            (format!("/docker/{ID}/init.scope"), Some("3f4b1cbb1f0f")),
            (
                format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope"),
                Some("3f4b1cbb1f0f"),
            ),
            (format!("/kubepods/burstable/podaa-bb/{ID}"), Some("3f4b1cbb1f0f")),
            (format!("/system.slice/k3s.service/kubepods:cri:{ID}"), Some("3f4b1cbb1f0f")),
            (format!("/machine.slice/crio-{ID}.scope"), Some("3f4b1cbb1f0f")),
            (format!("/user.slice/libpod-{ID}.scope/container"), Some("3f4b1cbb1f0f")),
            (format!("/machine.slice/libpod-conmon-{ID}.scope"), None),
            ("/lxc/web/system.slice/nginx.service".into(), Some("web")),
            ("/lxc.payload.web/init.scope".into(), Some("web")),
            ("/machine.slice/machine-db.scope".into(), Some("db")),
            ("/machine.slice/machine-web\\x2d1.scope".into(), Some("web-1")),
            ("/machine.slice/machine-libpod_pod_x.slice".into(), None),
            ("/system.slice/nginx.service".into(), None),
            ("/".into(), None),
        ] {
            assert_eq!(container(&path).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn pods_are_known_by_their_path() {
        let uid = "0e5a2b3c-1111-2222-3333-444455556666";
        let scope = format!("cri-containerd-{ID}.scope");
        for (path, name) in [
            (format!("/kubepods/burstable/pod{uid}/{ID}"), Some(uid)),
            (format!("/kubepods/pod{uid}/{ID}"), Some(uid)),
            (
                format!("/kubepods.slice/kubepods-pod{}.slice/{scope}", uid.replace('-', "_")),
                Some(uid),
            ),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-\
                 pod4a8a08f09d37b73795649038408b5f33.slice/x"
                    .into(),
                Some("4a8a08f09d37b73795649038408b5f33"),
            ),
            (
                format!("/machine.slice/machine-libpod_pod_{ID}.slice/libpod-{ID}.scope"),
                Some("3f4b1cbb1f0f"),
            ),
            (format!("/docker/{ID}"), None),
            ("/system.slice/podman.service".into(), None),
            ("/kubepods/burstable".into(), None),
        ] {
            assert_eq!(pod(&path).as_deref(), name, "{path}");
        }
        assert_eq!(container_id(&format!("/docker/{ID}")), Some(ID));
        assert_eq!(container_id("/lxc/web"), None);
    }

    #[test]
    fn the_innermost_unit_is_the_unit() {
        for (path, name) in [
            ("/system.slice/nginx.service", Some("nginx.service")),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/a.service",
                Some("a.service"),
            ),
            ("/system.slice/x.service/worker", Some("x.service")),
            ("/user.slice/user-1000.slice/session-2.scope", Some("session-2.scope")),
            ("/docker/abc", None),
            ("/", None),
        ] {
            assert_eq!(unit(path), name, "{path}");
        }
    }
}
