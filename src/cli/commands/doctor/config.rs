//! The doctor's config file: where it is looked for, and what is said of a wrong one.

use crate::{
    cli::{args::DoctorArgs, failure::Failure},
    doctor::{config::Config, rules},
    kernel::config_file,
};
use std::{
    env,
    path::{Path, PathBuf},
};

/// Below the user's directory of configuration, and below /etc.
const FILE: &str = "sockeye/doctor.toml";

/// The config file: the one that was named, else the user's, else the host's, else none.
pub(super) fn of(args: &DoctorArgs) -> Result<Config, Failure> {
    if let Some(path) = &args.config {
        return parsed(path, &config_file::read(path).map_err(unreadable)?);
    }
    let set = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let of_user = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    let usual = of_user.into_iter().chain([PathBuf::from("/etc")]).map(|place| place.join(FILE));
    for path in usual {
        match config_file::read(&path) {
            Ok(text) => return parsed(&path, &text),
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    Ok(Config::default())
}

fn unreadable(error: crate::kernel::error::Error) -> Failure {
    use crate::kernel::error::Cause;
    let hint = match error.cause {
        Cause::File { hint, .. } => hint,
        _ => "check the path and who may read it, or leave out --config",
    };
    Failure { hints: vec![hint.to_owned()], ..Failure::from(error) }
}

fn parsed(path: &Path, text: &str) -> Result<Config, Failure> {
    Config::parse(text, &rules::thresholds()).map_err(|wrong| {
        Failure::usage(format!("cannot use {}: {}", path.display(), wrong.what), wrong.hint)
    })
}
