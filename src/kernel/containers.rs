//! What containers and pods are called, read from the files their runtimes keep on the host. No
//! daemon is asked: it may hang, and its socket gives more power than a look needs.
//!
//! | runtime | file |
//! |---|---|
//! | Docker | `DATA-ROOT/containers/ID/config.v2.json`: `Name` |
//! | Podman, CRI-O | `STORAGE/DRIVER-containers/containers.json`: `names` |
//! | kubelet | `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`, `/var/log/pods/NAMESPACE_POD_UID` |
//! | containerd | `/run/containerd/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json`: annotations |
//!
//! Where a runtime keeps them elsewhere, its configuration says so (`/etc/docker/daemon.json`,
//! `/etc/containers/storage.conf`), or the command line of dockerd, or the mounts of the container
//! lead there: its `/etc/hostname` or its root is a file of the runtime's.

use super::{
    namespace::mounts::unescaped,
    proc::{process, root::Root},
};
use serde::Deserialize;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// Longest file read.
const LONGEST: u64 = 16 << 20;
/// Where runtimes keep their files unless told otherwise.
const DOCKER: &str = "/var/lib/docker";
const STORAGE: &str = "/var/lib/containers/storage";
const CONTAINERD: &str = "/run/containerd/io.containerd.runtime.v2.task";
const POD_LOGS: &str = "/var/log/pods";
/// Where it is said that they keep them elsewhere.
const DOCKER_CONFIG: &str = "/etc/docker/daemon.json";
const STORAGE_CONFIG: &str = "/etc/containers/storage.conf";
const CONTAINER_LOGS: &str = "/var/log/containers";
/// Drivers of containers/storage.
const DRIVERS: [&str; 3] = ["overlay", "vfs", "btrfs"];

/// Names by id, each looked up once.
#[derive(Debug)]
pub struct ContainerNames {
    root: Root,
    containers: HashMap<String, Option<String>>,
    /// Of a storage of containers/storage, by its directory.
    storages: HashMap<PathBuf, HashMap<String, String>>,
    /// Of kubelet's links.
    logged: Option<HashMap<String, String>>,
    pods: Option<HashMap<String, String>>,
    mounts: Option<Vec<Mount>>,
    /// Data roots of Docker and storages of others that are not where they are by default.
    moved: Option<Moved>,
}

/// Where runtimes keep their files, as they were told.
#[derive(Debug, Default, Clone)]
struct Moved {
    docker: Vec<PathBuf>,
    storage: Option<PathBuf>,
}

impl ContainerNames {
    /// Reads the files of the machine of this tree.
    pub fn new(root: &Root) -> Self {
        Self {
            root: root.clone(),
            containers: HashMap::new(),
            storages: HashMap::new(),
            logged: None,
            pods: None,
            mounts: None,
            moved: None,
        }
    }

    /// The name of the container with this id, of which `pid` is a process. `None`: no file tells.
    pub fn container(&mut self, id: &str, pid: u32) -> Option<String> {
        if let Some(known) = self.containers.get(id) {
            return known.clone();
        }
        let name = self.look_up(id, pid).filter(|name| !name.is_empty());
        self.containers.insert(id.to_owned(), name.clone());
        name
    }

    /// The pod with this uid, as `NAMESPACE/NAME`. `None`: no file tells.
    pub fn pod(&mut self, uid: &str) -> Option<String> {
        let root = &self.root;
        let pods = self.pods.get_or_insert_with(|| {
            let names = names_in(&root.beside(POD_LOGS));
            names.iter().filter_map(|name| pod_of_directory(name)).collect()
        });
        pods.get(uid).cloned()
    }

    fn look_up(&mut self, id: &str, pid: u32) -> Option<String> {
        let by_default = self.docker(Path::new(DOCKER), id);
        let by_default = by_default.or_else(|| self.storage(Path::new(STORAGE), id));
        let by_default = by_default.or_else(|| self.logged(id)).or_else(|| self.containerd(id));
        let told = by_default.or_else(|| self.moved(id));
        told.or_else(|| self.by_mounts(id, pid)).or_else(|| self.hostname(id, pid))
    }

    /// Where the runtimes were told to keep their files.
    fn moved(&mut self, id: &str) -> Option<String> {
        let root = &self.root;
        let moved = self.moved.get_or_insert_with(|| Moved::read(root)).clone();
        let by_docker = moved.docker.iter().find_map(|data| self.docker(data, id));
        by_docker.or_else(|| self.storage(&moved.storage?, id))
    }

    fn docker(&self, data_root: &Path, id: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Config {
            #[serde(rename = "Name")]
            name: String,
        }
        let place = data_root.join("containers").join(id).join("config.v2.json");
        let config: Config = self.json(&place)?;
        Some(config.name.trim_start_matches('/').to_owned())
    }

    fn storage(&mut self, storage: &Path, id: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Stored {
            id: String,
            #[serde(default)]
            names: Vec<String>,
        }
        if !self.storages.contains_key(storage) {
            let files = DRIVERS.map(|d| storage.join(format!("{d}-containers/containers.json")));
            let read = files.iter().filter_map(|file| self.json::<Vec<Stored>>(file)).flatten();
            let named =
                read.filter_map(|stored| Some((stored.id, stored.names.into_iter().next()?)));
            let named = named.collect();
            self.storages.insert(storage.to_owned(), named);
        }
        self.storages.get(storage)?.get(id).cloned()
    }

    fn logged(&mut self, id: &str) -> Option<String> {
        let root = &self.root;
        let logged = self.logged.get_or_insert_with(|| {
            let names = names_in(&root.beside(CONTAINER_LOGS));
            names.iter().filter_map(|name| container_of_log(name)).collect()
        });
        logged.get(id).cloned()
    }

    fn containerd(&self, id: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Spec {
            #[serde(default)]
            annotations: HashMap<String, String>,
        }
        let tasks = Path::new(CONTAINERD);
        names_in(&self.root.beside(CONTAINERD)).iter().find_map(|namespace| {
            let mut spec: Spec = self.json(&tasks.join(namespace).join(id).join("config.json"))?;
            let name = |key| spec.annotations.remove(key);
            ["io.kubernetes.cri.container-name", "nerdctl/name"].into_iter().find_map(name)
        })
    }

    /// By the directory a mount of the container comes from: `…/containers/ID/hostname` of docker,
    /// `STORAGE/overlay/…` of podman and CRI-O.
    fn by_mounts(&mut self, id: &str, pid: u32) -> Option<String> {
        let mounts = parse(&self.root.read(format!("{pid}/mountinfo"), LONGEST).ok()?);
        let of_docker = mounts.iter().find_map(|mount| {
            let (data_root, _) = mount.root.split_once(&format!("/containers/{id}/"))?;
            Some((mount.device.clone(), data_root.to_owned()))
        });
        if let Some((device, data_root)) = of_docker
            && let Some(name) = self.on_host(&device, &data_root).and_then(|d| self.docker(&d, id))
        {
            return Some(name);
        }
        let storage = mounts.iter().find_map(|mount| {
            let upper = mount.options.split(',').find_map(|o| o.strip_prefix("upperdir="))?;
            Some(PathBuf::from(upper.split_once("/overlay/")?.0))
        })?;
        self.storage(&storage, id)
    }

    /// Where a directory of a filesystem is mounted on the host.
    fn on_host(&mut self, device: &str, directory: &str) -> Option<PathBuf> {
        let root = &self.root;
        let mounts = self.mounts.get_or_insert_with(|| {
            parse(&root.read("self/mountinfo", LONGEST).unwrap_or_default())
        });
        mounts.iter().filter(|mount| mount.device == device).find_map(|mount| {
            let below = Path::new(directory).strip_prefix(&mount.root).ok()?;
            Some(Path::new(&mount.at).join(below))
        })
    }

    /// What the container calls itself: a last resort, and only where it is neither the machine's
    /// name nor the id.
    fn hostname(&self, id: &str, pid: u32) -> Option<String> {
        let name = self.root.read_line(format!("{pid}/root/etc/hostname")).ok()?;
        let of_host = self.root.read_line("sys/kernel/hostname").ok()?;
        (name != of_host && !id.starts_with(&name)).then_some(name)
    }

    fn json<T: for<'de> Deserialize<'de>>(&self, path: &Path) -> Option<T> {
        let bytes = self.root.read_beside(path, LONGEST).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

impl Moved {
    fn read(root: &Root) -> Self {
        let config = root.read_beside(DOCKER_CONFIG, LONGEST).unwrap_or_default();
        let daemons = process::pids(root).unwrap_or_default().into_iter();
        let daemons = daemons.filter(|pid| process::command_in(root, *pid) == b"dockerd");
        let told = daemons.filter_map(|pid| {
            data_root_of_words(&root.read(format!("{pid}/cmdline"), 64 * 1024).ok()?)
        });
        let storage = root.read_beside(STORAGE_CONFIG, LONGEST).unwrap_or_default();
        Self {
            docker: data_root_of_config(&config).into_iter().chain(told).collect(),
            storage: storage_of_config(&String::from_utf8_lossy(&storage)),
        }
    }
}

/// `data-root` of daemon.json (dockerd(8)); `graph` before Docker 17.05.
fn data_root_of_config(config: &[u8]) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(rename = "data-root", alias = "graph")]
        data_root: PathBuf,
    }
    serde_json::from_slice::<Config>(config).ok().map(|config| config.data_root)
}

/// `--data-root DIR`, `--data-root=DIR`, `-g DIR` of a command line, whose words end with zeros.
fn data_root_of_words(words: &[u8]) -> Option<PathBuf> {
    let words: Vec<String> =
        words.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into()).collect();
    let is_option = |word: &str| matches!(word, "--data-root" | "--graph" | "-g");
    let behind = words.iter().position(|word| is_option(word)).and_then(|at| words.get(at + 1));
    let after = |word: &String| {
        let (option, directory) = word.split_once('=')?;
        is_option(option).then(|| directory.to_owned())
    };
    behind.cloned().or_else(|| words.iter().find_map(after)).map(PathBuf::from)
}

/// `graphroot` of storage.conf (containers-storage.conf(5)).
fn storage_of_config(config: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Config {
        storage: Storage,
    }
    #[derive(Deserialize)]
    struct Storage {
        graphroot: PathBuf,
    }
    toml::from_str::<Config>(config).ok().map(|config| config.storage.graphroot)
}

/// A mount, by proc_pid_mountinfo(5).
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    device: String,
    root: String,
    at: String,
    options: String,
}

fn parse(mountinfo: &[u8]) -> Vec<Mount> {
    let text = String::from_utf8_lossy(mountinfo);
    let of_line = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut words = before.split(' ').skip(2);
        Some(Mount {
            device: words.next()?.to_owned(),
            root: unescaped(words.next()?),
            at: unescaped(words.next()?),
            options: after.split(' ').nth(2).unwrap_or_default().to_owned(),
        })
    };
    text.lines().filter_map(of_line).collect()
}

fn names_in(directory: &Path) -> Vec<String> {
    let listing = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    listing.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// `NAMESPACE_POD_UID`; neither of the names may have an underscore.
fn pod_of_directory(name: &str) -> Option<(String, String)> {
    let mut words = name.split('_');
    let (namespace, pod, uid) = (words.next()?, words.next()?, words.next()?);
    Some((uid.to_owned(), format!("{namespace}/{pod}")))
}

/// `POD_NAMESPACE_CONTAINER-ID.log`.
fn container_of_log(name: &str) -> Option<(String, String)> {
    let (container, id) = name.strip_suffix(".log")?.rsplit('_').next()?.rsplit_once('-')?;
    Some((id.to_owned(), container.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f4b1cbb1f0f6a2dd2b1a2a7c1e6f6a5b6b7c8d9e0f1a2b3c4d5e6f708192a3b";

    #[test]
    fn kubelets_links_name_pods_and_containers() {
        let link = format!("web-7d9f_default_nginx-proxy-{ID}.log");
        assert_eq!(container_of_log(&link), Some((ID.into(), "nginx-proxy".into())));
        let directory = "kube-system_coredns-5d78c_0e5a2b3c-1111-2222-3333-444455556666";
        let uid = "0e5a2b3c-1111-2222-3333-444455556666";
        assert_eq!(
            pod_of_directory(directory),
            Some((uid.into(), "kube-system/coredns-5d78c".into()))
        );
        for text in ["", "_", "a_b", ".log", "a.log", "-"] {
            let _ = (container_of_log(text), pod_of_directory(text));
        }
    }

    /// A host's files below a directory, as they are seen beside its /proc.
    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let directory = tempfile::TempDir::new().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = Root::at(&directory.path().join("proc")).unwrap();
        (directory, root)
    }

    #[test]
    fn each_runtime_has_its_file() {
        let docker = format!("var/lib/docker/containers/{ID}/config.v2.json");
        let containerd =
            format!("run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json");
        let podman = "var/lib/containers/storage/overlay-containers/containers.json";
        let stored = format!(r#"[{{"id":"{ID}","names":["db"],"layer":"x"}}]"#);
        let log = format!("var/log/containers/p_n_cache-{ID}.log");
        let annotated = r#"{"annotations":{"io.kubernetes.cri.container-name":"queue"}}"#;
        for (path, text, name) in [
            (docker.as_str(), r#"{"ID":"x","Name":"/web"}"#, Some("web")),
            (podman, stored.as_str(), Some("db")),
            (log.as_str(), "", Some("cache")),
            (containerd.as_str(), annotated, Some("queue")),
            (docker.as_str(), "{not json", None),
        ] {
            let (_directory, root) = host(&[("proc/7/comm", "x\n"), (path, text)]);
            let mut names = ContainerNames::new(&root);
            assert_eq!(names.container(ID, 7).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn a_data_root_elsewhere_is_found_by_the_mounts_of_the_container() {
        let config = format!("srv/docker/containers/{ID}/config.v2.json");
        let (directory, _) = host(&[("proc/7/comm", "x\n")]);
        let srv = directory.path().join("srv");
        // The filesystem of the data root is mounted at srv; within it the directory is /docker.
        let mounts = format!(
            "20 1 8:1 / / rw - ext4 /dev/a rw\n21 20 8:2 / {} rw - ext4 /dev/b rw\n",
            srv.display()
        );
        let inside = format!(
            "30 1 0:9 / / rw - overlay overlay rw\n31 30 8:2 /docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/b rw\n"
        );
        for (path, text) in [
            ("proc/self/mountinfo", mounts.as_str()),
            ("proc/7/mountinfo", inside.as_str()),
            (config.as_str(), r#"{"Name":"/elsewhere"}"#),
        ] {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let root = Root::at(&directory.path().join("proc")).unwrap();
        // Mount points are those of the tree's machine: seen from here they lie beside its /proc.
        let mut names = ContainerNames::new(&root);
        assert_eq!(names.on_host("8:2", "/docker/containers"), Some(srv.join("docker/containers")));
    }

    #[test]
    fn a_data_root_elsewhere_is_found_as_the_runtime_was_told() {
        let docker = format!("srv/docker/containers/{ID}/config.v2.json");
        let config_of_web = r#"{"Name":"/web"}"#;
        let stored = format!(r#"[{{"id":"{ID}","names":["web"]}}]"#);
        let storage = "srv/pods/overlay-containers/containers.json";
        let config = "# kept apart\n[storage]\ndriver = \"overlay\"\ngraphroot = \"/srv/pods\"\n";
        for (told, text, place, tells) in [
            (
                "etc/docker/daemon.json",
                r#"{"data-root":"/srv/docker","x":[1]}"#,
                &*docker,
                config_of_web,
            ),
            ("etc/docker/daemon.json", r#"{"graph":"/srv/docker"}"#, &docker, config_of_web),
            (
                "proc/90/cmdline",
                "/usr/bin/dockerd\0--data-root\0/srv/docker\0",
                &docker,
                config_of_web,
            ),
            (
                "proc/90/cmdline",
                "dockerd\0-H\0fd://\0--data-root=/srv/docker\0",
                &docker,
                config_of_web,
            ),
            ("proc/90/cmdline", "dockerd\0-g\0/srv/docker\0", &docker, config_of_web),
            ("etc/containers/storage.conf", config, storage, &stored),
        ] {
            let daemon = ("proc/90/comm", "dockerd\n");
            let (_directory, root) =
                host(&[("proc/7/comm", "x\n"), daemon, (told, text), (place, tells)]);
            let mut names = ContainerNames::new(&root);
            assert_eq!(names.container(ID, 7).as_deref(), Some("web"), "{told}: {text}");
        }
        for text in ["", "{", "{\"data-root\":7}", "[storage]", "--data-root", "\0=\0"] {
            let read = (data_root_of_config(text.as_bytes()), storage_of_config(text));
            assert_eq!(read, (None, None), "{text}");
            let _ = data_root_of_words(text.as_bytes());
        }
    }

    #[test]
    fn a_hostname_is_a_last_resort() {
        let files = |name: &'static str| {
            [("proc/7/root/etc/hostname", name), ("proc/sys/kernel/hostname", "machine\n")]
        };
        for (text, name) in [("api\n", Some("api")), ("machine\n", None), ("3f4b1cbb1f0f\n", None)]
        {
            let (_directory, root) = host(&files(text));
            assert_eq!(ContainerNames::new(&root).container(ID, 7).as_deref(), name, "{text}");
        }
    }
}
