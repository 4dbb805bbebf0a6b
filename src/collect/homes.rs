//! Where processes live: the names of their containers and pods.

use crate::{
    kernel::{containers::ContainerNames, proc::root::Root},
    model::owner::Process,
};

/// Names, each looked up once.
#[derive(Debug)]
pub struct Homes {
    names: ContainerNames,
}

impl Homes {
    /// Of the machine of this tree.
    pub fn new(root: &Root) -> Self {
        Self { names: ContainerNames::new(root) }
    }

    /// Gives a process the names of its container and pod, where the host's files tell them; without
    /// a name the id stays.
    pub fn name(&mut self, process: &mut Process) {
        if let Some(id) = process.container_id().map(str::to_owned)
            && let Some(name) = self.names.container(&id, process.pid)
        {
            process.container = Some(name);
        }
        if let Some(name) = process.pod.as_deref().and_then(|uid| self.names.pod(uid)) {
            process.pod = Some(name);
        }
    }
}
