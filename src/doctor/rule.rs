//! What a rule is: data that explains it, and a pure function that judges.

use super::{
    area::Area,
    config::Config,
    evidence::Evidence,
    finding::{Confidence, Finding, Severity},
    needs::Need,
    rounds::{GROWING, Trend, Watch, Watched},
    subject::Subject,
    threshold::Threshold,
};
use crate::report::remedy::{Avoid, Remedy, Tier};
use std::collections::BTreeMap;

/// A remedy as a rule lists it.
#[derive(Debug, Clone, Copy)]
pub struct Advice {
    /// How deep it reaches.
    pub tier: Tier,
    /// What to do and why it helps.
    pub text: &'static str,
    /// What to paste. Empty: nothing.
    pub command: &'static str,
    /// What it changes.
    pub scope: &'static str,
    /// What it may break. Empty: nothing known.
    pub risk: &'static str,
}

/// The program and its configuration.
pub const PROGRAM: &str = "the program and its configuration";
/// The network namespace.
pub const NETNS: &str = "this network namespace, until it ends. For good: /etc/sysctl.d on a host, \
                         `docker run --sysctl`, securityContext.sysctls of a pod";
/// The host.
pub const HOST: &str = "the host and all its containers. For good: /etc/sysctl.d on the host";

impl Advice {
    /// Change what the program does.
    pub const fn application(text: &'static str, command: &'static str) -> Self {
        Self { tier: Tier::Application, text, command, scope: PROGRAM, risk: "" }
    }

    /// Set an option on its sockets.
    pub const fn socket(text: &'static str, command: &'static str) -> Self {
        Self { tier: Tier::Socket, text, command, scope: "each socket of that program", risk: "" }
    }

    /// Change a setting of the network namespace.
    pub const fn sysctl(text: &'static str, command: &'static str) -> Self {
        Self { tier: Tier::Sysctl, text, command, scope: NETNS, risk: "" }
    }

    /// Change a setting of the host.
    pub const fn host_sysctl(text: &'static str, command: &'static str) -> Self {
        Self { tier: Tier::Sysctl, text, command, scope: HOST, risk: "" }
    }

    /// Add addresses, ports, memory or machines.
    pub const fn capacity(text: &'static str, command: &'static str) -> Self {
        Self { tier: Tier::Capacity, text, command, scope: "the deployment", risk: "" }
    }

    /// What it may break.
    #[must_use]
    pub const fn risking(self, risk: &'static str) -> Self {
        Self { risk, ..self }
    }

    /// As a finding tells it.
    pub fn remedy(&self) -> Remedy {
        Remedy {
            tier: self.tier,
            text: self.text.to_owned(),
            command: Some(self.command.to_owned()).filter(|command| !command.is_empty()),
            scope: self.scope.to_owned(),
            risk: self.risk.to_owned(),
        }
    }
}

/// A rule.
pub struct Rule {
    /// Its name, kebab-case; never changes.
    pub id: &'static str,
    /// Its line of the checklist.
    pub area: Area,
    /// One line: what is wrong when it speaks.
    pub title: &'static str,
    /// What that means, in plain words.
    pub meaning: &'static str,
    /// What is looked at.
    pub evidence: &'static str,
    /// Without what it cannot judge.
    pub needs: &'static [Need],
    /// From where on it speaks, with reasons.
    pub thresholds: &'static [Threshold],
    /// What users and logs show.
    pub symptoms: &'static str,
    /// What causes it, the most frequent first.
    pub causes: &'static [&'static str],
    /// What to do, application first.
    pub remedies: &'static [Advice],
    /// What people try that does not help: (what, why not).
    pub avoid: &'static [(&'static str, &'static str)],
    /// What looks alike and is healthy.
    pub false_positives: &'static str,
    /// What the claims rest on.
    pub sources: &'static [&'static str],
    /// Rules whose finding about the same subject is the cause of this one's.
    pub caused_by: &'static [&'static str],
    /// The judgement.
    pub judge: fn(&Case<'_, '_>) -> Judgement,
}

/// What a rule says of a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// Nothing, or what was found.
    Found(Vec<Finding>),
    /// It cannot be judged: why.
    Skipped(String),
}

impl From<Vec<Finding>> for Judgement {
    fn from(findings: Vec<Finding>) -> Self {
        Self::Found(findings)
    }
}

impl From<Option<Finding>> for Judgement {
    fn from(finding: Option<Finding>) -> Self {
        Self::Found(finding.into_iter().collect())
    }
}

/// What a rule judges: the evidence, and the thresholds that hold here.
pub struct Case<'e, 's> {
    /// The evidence.
    pub evidence: &'e Evidence<'s>,
    rule: &'static str,
    config: &'e Config,
    watch: Option<Watch<'e>>,
}

impl<'e, 's> Case<'e, 's> {
    /// The case of a rule.
    pub fn of(
        rule: &Rule,
        evidence: &'e Evidence<'s>,
        config: &'e Config,
        watch: Option<Watch<'e>>,
    ) -> Self {
        Self { evidence, rule: rule.id, config, watch }
    }

    /// A threshold: the config file's, else the rule's own.
    pub fn at(&self, threshold: &Threshold) -> f64 {
        self.config.threshold(self.rule, threshold.key).unwrap_or(threshold.value)
    }

    /// How a count went over the rounds of a watch. `None`: this is the first, or there is no watch.
    pub fn trend(&self, watched: Watched) -> Option<Trend> {
        self.watch?.trend(watched)
    }

    /// The same of a count that grows, and has grown for long enough.
    pub fn growing(&self, watched: Watched) -> Option<Trend> {
        self.trend(watched).filter(|trend| trend.grows_for(self.at(&GROWING)))
    }

    /// What a count usually was in the rounds before. `None`: there were too few.
    pub fn usually(&self, watched: Watched) -> Option<u64> {
        self.watch?.before.usually(watched)
    }

    /// The graver of the levels that a number reaches; `None`: none of them.
    pub fn severity(&self, number: f64, levels: &[(Severity, &Threshold)]) -> Option<Severity> {
        levels.iter().filter(|(_, at)| number >= self.at(at)).map(|(level, _)| *level).max()
    }
}

impl Rule {
    /// Judges, where what it needs is there.
    pub fn judge(
        &'static self,
        evidence: &Evidence<'_>,
        config: &Config,
        watch: Option<Watch<'_>>,
    ) -> Judgement {
        match self.needs.iter().find_map(|need| need.lacking(evidence)) {
            Some(reason) => Judgement::Skipped(reason),
            None => (self.judge)(&Case::of(self, evidence, config, watch)),
        }
    }

    /// A finding with what the rule always says.
    pub fn finding(
        &'static self,
        severity: Severity,
        subject: Subject,
        title: impl Into<String>,
    ) -> Finding {
        let avoid = |(action, reason): &(&'static str, &'static str)| Avoid {
            action,
            reason: (*reason).to_owned(),
        };
        Finding {
            id: self.id,
            severity,
            confidence: Confidence::Certain,
            surer: None,
            title: title.into(),
            subject,
            evidence: BTreeMap::new(),
            seen: vec![],
            meaning: self.meaning,
            causes: self.causes.iter().map(|cause| (*cause).to_owned()).collect(),
            remedies: self.remedies.iter().map(Advice::remedy).collect(),
            avoid: self.avoid.iter().map(avoid).collect(),
            references: self.sources.to_vec(),
            caused_by: vec![],
            sockets: vec![],
        }
    }
}
