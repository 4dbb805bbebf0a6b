//! What a cgroup path tells of a process: its systemd unit and its container.

/// Length of a container id as docker, containerd, CRI-O and podman write it.
const ID: usize = 64;
/// How much of an id people and `docker ps` use.
const SHORT_ID: usize = 12;

/// The systemd unit a path belongs to: its innermost service or scope (`nginx.service`).
pub fn unit(path: &str) -> Option<&str> {
    path.rsplit('/').find(|part| {
        [".service", ".scope"].iter().any(|end| part.len() > end.len() && part.ends_with(end))
    })
}

/// The container a path belongs to: the first twelve characters of its id, or the name where the
/// path has one (LXC, systemd-nspawn). The innermost one, where containers are nested.
///
/// Patterns of docker (`/docker/ID`, `docker-ID.scope`), containerd (`cri-containerd-ID.scope`,
/// `/kubepods/…/ID`), CRI-O (`crio-ID.scope`), podman (`libpod-ID.scope`), LXC
/// (`/lxc/NAME`, `/lxc.payload.NAME`) and nspawn (`machine-NAME.scope`).
pub fn container(path: &str) -> Option<&str> {
    let mut found = None;
    let mut before = "";
    for part in path.split('/') {
        found = container_of(before, part).or(found);
        before = part;
    }
    found
}

fn container_of<'a>(parent: &str, part: &'a str) -> Option<&'a str> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    // conmon watches a container from outside.
    if name.contains("-conmon-") {
        return None;
    }
    if matches!(parent, "lxc" | "lxc.payload") {
        return Some(part);
    }
    for prefix in ["lxc.payload.", "machine-"] {
        if let Some(name) = name.strip_prefix(prefix).filter(|name| !name.is_empty()) {
            return Some(name);
        }
    }
    let id = name.rsplit(['-', ':']).next()?;
    let is_id = id.len() == ID && id.bytes().all(|b| b.is_ascii_hexdigit());
    id.get(..SHORT_ID).filter(|_| is_id)
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
            ("/system.slice/nginx.service".into(), None),
            ("/".into(), None),
        ] {
            assert_eq!(container(&path), name, "{path}");
        }
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
