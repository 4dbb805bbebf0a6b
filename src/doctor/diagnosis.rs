//! All rules over one snapshot.

use super::{
    area::Area,
    config::{Config, Exception},
    evidence::Evidence,
    finding::{Finding, Severity},
    rounds::Watch,
    rule::{Judgement, Rule},
    story,
    subject::Kind,
};
use crate::model::{snapshot::Snapshot, socket_options::SocketOptions, state::State};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing above a notice.
    Ok,
    /// A warning is the worst.
    Warning,
    /// Something fails, or is about to.
    Critical,
    /// Nothing could be judged.
    Unknown,
}

impl Verdict {
    /// The word in text and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It found nothing.
    Ok,
    /// It found something.
    Fired,
    /// It could not be judged, or was not to be.
    Skipped,
}

/// A rule and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Id of the rule.
    pub id: &'static str,
    /// Its area.
    pub area: Area,
    /// What became of it.
    pub status: Status,
    /// Why it was skipped.
    pub reason: Option<String>,
}

/// A finding that the config file expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excepted {
    /// Id of the rule.
    pub id: &'static str,
    /// Whom it is about.
    pub subject: String,
    /// Why it is expected.
    pub reason: String,
}

/// A line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The area.
    pub area: Area,
    /// The worst finding in it. `None`: nothing was found.
    pub worst: Option<Severity>,
    /// Its rules that could be judged.
    pub judged: usize,
    /// Its rules that were asked for.
    pub asked: usize,
    /// The figure that is worth a glance.
    pub figure: String,
}

/// The limit that is nearest to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Nearest {
    /// Its id, as `sockeye capacity` has it.
    pub id: &'static str,
    /// Of which process, tuple, cgroup.
    pub subject: String,
    /// In use.
    pub used: u64,
    /// The limit.
    pub value: u64,
    /// In what it is counted.
    pub unit: &'static str,
    /// Used, in percent.
    pub used_percent: u64,
}

/// Which rules, and what holds for them.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// These alone, by id; empty: all.
    pub only: Vec<String>,
    /// Not these.
    pub skip: Vec<String>,
    /// The config file.
    pub config: Config,
}

impl Plan {
    fn asks(&self, rule: &Rule) -> bool {
        self.only.is_empty() || self.only.iter().any(|id| id == rule.id)
    }

    fn skips(&self, rule: &Rule) -> bool {
        self.skip.iter().any(|id| id == rule.id)
    }
}

/// The diagnosis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Time between the two looks, in milliseconds. `None`: there was one.
    pub window_ms: Option<u64>,
    /// How things stand.
    pub verdict: Verdict,
    /// What was found: causes before effects, worst first.
    pub findings: Vec<Finding>,
    /// Every rule that was asked for.
    pub checked: Vec<Checked>,
    /// The checklist.
    pub areas: Vec<Line>,
    /// Findings that the config file expects.
    pub excepted: Vec<Excepted>,
    /// TCP sockets by state, and the fullest of listeners.
    pub figures: BTreeMap<&'static str, u64>,
    /// The limit that is nearest to its end. `None`: none in use is known.
    pub nearest_limit: Option<Nearest>,
    /// Options of sockets in the findings that were looked at. `None`: none were to be.
    pub socket_options: Option<Vec<SocketOptions>>,
}

impl Diagnosis {
    /// The worst that was found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// Whether a rule that was named could not be judged.
    pub fn lacks(&self, named: &[String]) -> bool {
        let is_named = |checked: &&Checked| named.iter().any(|id| id == checked.id);
        self.checked.iter().filter(is_named).any(|checked| checked.status == Status::Skipped)
    }

    /// The same without findings about the whole machine whose rule is among these, which learn the
    /// others: beside the diagnosis of another namespace of the same machine they are told already.
    #[must_use]
    pub fn apart_from(&self, told: &mut HashSet<&'static str>) -> Self {
        let is_new =
            |finding: &Finding| finding.subject.kind != Kind::Host || !told.contains(finding.id);
        let kept: Vec<usize> = (0..self.findings.len())
            .filter(|at| self.findings.get(*at).is_some_and(is_new))
            .collect();
        let place = |at: &usize| kept.iter().position(|kept| kept == at);
        let mut findings: Vec<Finding> =
            self.findings.iter().filter(|finding| is_new(finding)).cloned().collect();
        for finding in &mut findings {
            finding.caused_by = finding.caused_by.iter().filter_map(place).collect();
        }
        let of_host = findings.iter().filter(|finding| finding.subject.kind == Kind::Host);
        told.extend(of_host.map(|finding| finding.id));
        Self { findings, ..self.clone() }
    }

    /// How many findings are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Inodes of the sockets that findings name.
    pub fn sockets(&self) -> impl Iterator<Item = u64> + '_ {
        self.findings.iter().flat_map(|finding| finding.sockets.iter().copied())
    }
}

/// Judges a snapshot, with the options of some of its sockets where they were read.
pub fn examine(
    snapshot: &Snapshot,
    options: Option<&[SocketOptions]>,
    rules: &[&'static Rule],
    plan: &Plan,
) -> Diagnosis {
    of(&Evidence::of(snapshot, options), rules, plan, None)
}

/// Judges evidence, in a watch with what earlier rounds saw.
pub fn of(
    evidence: &Evidence<'_>,
    rules: &[&'static Rule],
    plan: &Plan,
    watch: Option<Watch<'_>>,
) -> Diagnosis {
    let (mut findings, mut checked, mut excepted) = (vec![], vec![], vec![]);
    for rule in rules.iter().filter(|rule| plan.asks(rule)) {
        let judgement = if plan.skips(rule) {
            Judgement::Skipped("left out by --skip".to_owned())
        } else {
            rule.judge(evidence, &plan.config, watch)
        };
        let (status, reason) = match judgement {
            Judgement::Skipped(reason) => (Status::Skipped, Some(reason)),
            Judgement::Found(found) => {
                let status = if found.is_empty() { Status::Ok } else { Status::Fired };
                for finding in found {
                    match plan.config.exception(&finding) {
                        Some(Exception { reason, .. }) => excepted.push(Excepted {
                            id: finding.id,
                            subject: finding.subject.text,
                            reason: reason.clone(),
                        }),
                        None => findings.push(with_options(finding, evidence).addressed()),
                    }
                }
                (status, None)
            }
        };
        checked.push(Checked { id: rule.id, area: rule.area, status, reason });
    }
    let areas = areas(evidence, rules, &findings, &checked);
    let worst = findings.iter().map(|finding: &Finding| finding.severity).max();
    let judged = checked.iter().any(|checked| checked.status != Status::Skipped);
    let verdict = match worst {
        Some(Severity::Critical) => Verdict::Critical,
        Some(Severity::Warning) => Verdict::Warning,
        _ if judged => Verdict::Ok,
        _ => Verdict::Unknown,
    };
    Diagnosis {
        window_ms: evidence.snapshot.window_ms(),
        verdict,
        findings: story::tell(findings, rules),
        checked,
        areas,
        excepted,
        figures: figures(evidence),
        nearest_limit: nearest(evidence),
        socket_options: evidence.socket_options.map(<[_]>::to_vec),
    }
}

/// Adds what was read of the options of its sockets.
fn with_options(finding: Finding, evidence: &Evidence<'_>) -> Finding {
    let read: Vec<&SocketOptions> =
        finding.sockets.iter().filter_map(|inode| evidence.options(*inode)).collect();
    if read.is_empty() {
        return finding;
    }
    let count = |is: fn(&SocketOptions) -> bool| read.iter().filter(|options| is(options)).count();
    let text = format!(
        "options of {} of its sockets: SO_KEEPALIVE on {}, TCP_USER_TIMEOUT on {}, SO_LINGER on {}, \
         IP_BIND_ADDRESS_NO_PORT on {}",
        read.len(),
        count(|o| o.keepalive == Some(true)),
        count(|o| o.user_timeout_ms.is_some_and(|ms| ms > 0)),
        count(|o| o.linger_s.is_some_and(|seconds| seconds >= 0)),
        count(|o| o.bind_address_no_port == Some(true)),
    );
    finding.seen(text)
}

fn areas(
    evidence: &Evidence<'_>,
    rules: &[&'static Rule],
    findings: &[Finding],
    checked: &[Checked],
) -> Vec<Line> {
    let area_of = |id: &str| rules.iter().find(|rule| rule.id == id).map(|rule| rule.area);
    let line = |area: Area| {
        let of_area = || checked.iter().filter(move |checked| checked.area == area);
        let asked = of_area().count();
        let worst = findings.iter().filter(|f| area_of(f.id) == Some(area)).map(|f| f.severity);
        (asked > 0).then(|| Line {
            area,
            worst: worst.max(),
            judged: of_area().filter(|checked| checked.status != Status::Skipped).count(),
            asked,
            figure: area.figure(evidence),
        })
    };
    Area::ALL.into_iter().filter_map(line).collect()
}

fn figures(evidence: &Evidence<'_>) -> BTreeMap<&'static str, u64> {
    [
        ("established", State::Established),
        ("time_wait", State::TimeWait),
        ("close_wait", State::CloseWait),
        ("syn_sent", State::SynSent),
        ("syn_rcvd", State::SynRcvd),
        ("listen", State::Listen),
    ]
    .into_iter()
    .map(|(name, state)| (name, evidence.in_state(state).count() as u64))
    .collect()
}

fn nearest(evidence: &Evidence<'_>) -> Option<Nearest> {
    let (limit, used_percent) = evidence.estimate()?.tightest()?;
    Some(Nearest {
        id: limit.id.name(),
        subject: limit.subject.clone(),
        used: limit.used?,
        value: limit.value?,
        unit: limit.unit,
        used_percent,
    })
}
