//! The diagnosis on a page of 80 columns: a checklist, the findings, one verdict line.

use super::page::{Page, WIDTH, shown};
use crate::{
    doctor::{
        area::Area,
        diagnosis::{Checked, Diagnosis, Line, Nearest, Status, Verdict},
        finding::{Confidence, Finding, Severity},
        rule::Rule,
    },
    report::remedy::Remedy,
    view::document::Document,
};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Columns of the names beside a finding's text.
const NAMES: usize = 10;
/// Causes told of a finding.
const CAUSES: usize = 4;

/// The page. `verbose`: notices in full, and what became of each rule.
pub fn document(diagnosis: &Diagnosis, verbose: bool) -> Document {
    let mut page = Page::default();
    for line in &diagnosis.areas {
        checklist(&mut page, line);
    }
    let mut full: Vec<&Finding> = vec![];
    for (at, finding) in diagnosis.findings.iter().enumerate() {
        // What causes something worse is told in full, too.
        let is_cause = diagnosis.findings.iter().any(|f| f.caused_by.contains(&at));
        let in_full = verbose || finding.severity > Severity::Notice || is_cause;
        if in_full || at == 0 {
            page.blank();
        }
        if in_full {
            let above = full.iter().find(|above| above.id == finding.id).copied();
            told(&mut page, finding, diagnosis, above);
            full.push(finding);
        } else {
            page.paragraph("", 3, &headline(finding));
        }
    }
    page.blank();
    if verbose {
        for checked in &diagnosis.checked {
            became(&mut page, checked);
        }
        page.blank();
    }
    for excepted in &diagnosis.excepted {
        let subject = shown(excepted.subject.as_bytes());
        let reason = shown(excepted.reason.as_bytes());
        page.paragraph("", 3, &format!("excepted[{}]: {subject}: {reason}", excepted.id));
    }
    page.paragraph("", 3, &verdict(diagnosis));
    if let Some(nearest) = &diagnosis.nearest_limit {
        page.paragraph("", 3, &nearest_limit(nearest));
    }
    page.document
}

/// ` OK  listening        6 listeners, fullest queue 3 of 4096`.
fn checklist(page: &mut Page, line: &Line) {
    let mark = match (line.worst, line.judged) {
        (Some(Severity::Critical), _) => "!!",
        (Some(Severity::Warning), _) => " !",
        (Some(Severity::Notice), _) => "--",
        (None, 0) => "??",
        (None, _) => "ok",
    };
    let mut text = match line.judged {
        0 => "not judged".to_owned(),
        _ => shown(line.figure.as_bytes()),
    };
    if line.judged > 0 && line.judged < line.asked {
        let some = format!("({} of {} rules)", line.judged, line.asked);
        text = if text.is_empty() { some } else { format!("{text} {some}") };
    }
    let first = format!("{mark}  {:<17}", line.area.name());
    let room = WIDTH.saturating_sub(first.width());
    if text.width() > room {
        text = text.chars().take(room.saturating_sub(1)).collect::<String>() + "~";
    }
    page.line(&format!("{first}{text}"));
}

fn headline(finding: &Finding) -> String {
    let title = shown(finding.title.as_bytes());
    format!("{}[{}]: {title}", finding.severity.name(), finding.id)
}

/// A finding in full. Of one whose rule has spoken above, what is different: the same rule says the
/// same of every process.
fn told(page: &mut Page, finding: &Finding, diagnosis: &Diagnosis, above: Option<&Finding>) {
    page.heading(&headline(finding));
    let mut fact = |name: &str, text: &str| {
        let first = format!("  {name:<width$}", width = NAMES - 2);
        page.paragraph(&first, NAMES, &shown(text.as_bytes()));
    };
    for cause in &finding.caused_by {
        if let Some(cause) = diagnosis.findings.get(*cause) {
            fact("cause", &format!("caused by ↑ {} ({})", cause.id, cause.subject.text));
        }
    }
    for (at, seen) in finding.seen.iter().enumerate() {
        fact(if at == 0 { "seen" } else { "" }, seen);
    }
    if finding.confidence != Confidence::Certain {
        let sure = match finding.confidence {
            Confidence::Likely => "likely",
            _ => "possible",
        };
        match &finding.surer {
            Some(surer) => fact("sure", &format!("{sure}; {surer}")),
            None => fact("sure", sure),
        }
    }
    if above.is_none() {
        fact("means", finding.meaning);
    }
    let is_new = |cause: &&String| above.is_none_or(|above| !above.causes.contains(cause));
    for (at, cause) in finding.causes.iter().filter(is_new).take(CAUSES).enumerate() {
        fact(if at == 0 { "why" } else { "" }, &format!("{}. {cause}", at + 1));
    }
    let is_new = |remedy: &&Remedy| above.is_none_or(|above| !above.remedies.contains(remedy));
    for remedy in finding.remedies.iter().filter(is_new) {
        fix(page, remedy);
    }
    if let Some(above) = above {
        let more = format!("the rest as above, for {}", above.subject.text);
        page.paragraph("  more    ", NAMES, &shown(more.as_bytes()));
        return;
    }
    for (at, avoid) in finding.avoid.iter().enumerate() {
        let first = format!("  {:<width$}", if at == 0 { "not" } else { "" }, width = NAMES - 2);
        let text = format!("{}: {}", avoid.action, avoid.reason);
        page.paragraph(&first, NAMES, &shown(text.as_bytes()));
    }
    page.line(&format!("  {:<8}sockeye explain {}", "more", finding.id));
}

/// `fix A   text`, what to paste, and its scope where that is not the program itself.
fn fix(page: &mut Page, remedy: &Remedy) {
    use crate::report::remedy::Tier;
    let letter = match remedy.tier {
        Tier::Application => 'A',
        Tier::Socket => 'B',
        Tier::Sysctl => 'C',
        Tier::Capacity => 'D',
    };
    let first = format!("  {:<8}", format!("fix {letter}"));
    let mut text = shown(remedy.text.as_bytes());
    if !remedy.risk.is_empty() {
        let _ = write!(text, ". Risk: {}", shown(remedy.risk.as_bytes()));
    }
    page.paragraph(&first, NAMES, &text);
    if let Some(command) = &remedy.command {
        for line in command.lines() {
            page.line(&format!("{:NAMES$}  {}", "", shown(line.as_bytes())));
        }
    }
    if remedy.tier == Tier::Sysctl {
        page.paragraph(&" ".repeat(NAMES), NAMES, &format!("scope: {}", remedy.scope));
    }
}

fn became(page: &mut Page, checked: &Checked) {
    let status = match checked.status {
        Status::Ok => "ok",
        Status::Fired => "fired",
        Status::Skipped => "skipped",
    };
    let reason = checked.reason.as_deref().unwrap_or_default();
    let text = format!("{:<33}{}", checked.id, shown(reason.as_bytes()));
    page.paragraph(&format!("{status:<9}"), 11, text.trim_end());
}

/// `1 critical, 0 warnings, 1 notice. Checked 52 of 59 rules; 7 could not be judged (-v tells why).`
fn verdict(diagnosis: &Diagnosis) -> String {
    let plural =
        |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let (critical, warnings, notices) = (
        diagnosis.count(Severity::Critical),
        diagnosis.count(Severity::Warning),
        diagnosis.count(Severity::Notice),
    );
    let found = if diagnosis.verdict == Verdict::Unknown {
        "Nothing could be judged.".to_owned()
    } else if critical + warnings + notices == 0 {
        "No problem found.".to_owned()
    } else {
        format!(
            "{critical} critical, {}, {}.",
            plural(warnings, "warning"),
            plural(notices, "notice")
        )
    };
    let skipped = diagnosis.checked.iter().filter(|c| c.status == Status::Skipped).count();
    let asked = diagnosis.checked.len();
    let window = diagnosis.window_ms.map_or_else(
        || "at one look".to_owned(),
        |ms| format!("over {}.{} s", ms / 1000, ms % 1000 / 100),
    );
    let mut text = format!("{found} Checked {} of {asked} rules {window}", asked - skipped);
    if skipped > 0 {
        let _ = write!(text, "; {skipped} could not be judged (-v tells why)");
    }
    if let Some(options) = &diagnosis.socket_options {
        let _ = write!(text, "; looked at the options of {} sockets, set none", options.len());
    }
    text + "."
}

pub(super) fn nearest_limit(nearest: &Nearest) -> String {
    format!(
        "Nearest to its end: {} of {}, {} of {} {} ({} %).",
        nearest.id,
        shown(nearest.subject.as_bytes()),
        nearest.used,
        nearest.value,
        nearest.unit,
        nearest.used_percent
    )
}

/// Every rule by area, a line each.
pub fn rules(rules: &[&'static Rule]) -> String {
    let mut text = String::new();
    for area in Area::ALL {
        let mut of_area = rules.iter().filter(|rule| rule.area == area).peekable();
        if of_area.peek().is_some() {
            let _ = writeln!(text, "{}", area.name());
        }
        for rule in of_area {
            let _ = writeln!(text, "  {}\n      {}", rule.id, rule.title);
        }
    }
    text
}
