//! The setting that keeps ports of services from outgoing connections, as one remedy for all rules
//! that advise it.

use crate::{
    doctor::rule::Advice,
    model::{ports::PortSet, settings::Settings},
    report::remedy::Remedy,
};

/// Reserve these ports beside those that are reserved already: a write replaces the whole list.
pub(super) fn reserve(settings: &Settings, ports: &PortSet) -> Remedy {
    let reserved = settings.reserved_ports();
    let risk = match reserved {
        Some(_) => "",
        None => "what is reserved now could not be read, and a write replaces it: add it",
    };
    let all = reserved.unwrap_or_else(PortSet::empty).with(ports);
    Remedy {
        text: "Keep the kernel from choosing ports of services; what is open stays".into(),
        command: Some(format!("sysctl -w net.ipv4.ip_local_reserved_ports={all}")),
        risk: risk.into(),
        ..Advice::sysctl("", "").remedy()
    }
}
