//! Findings that cause one another, as one story: a full accept queue because the process has no
//! descriptor left because it leaks connections.

use super::{finding::Finding, rule::Rule};

/// Sorts findings worst first, each effect behind the cause it has, and notes who causes whom.
///
/// A cause comes before its effect even where it is less severe: it is what has to be mended.
pub fn tell(mut findings: Vec<Finding>, rules: &[&'static Rule]) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| a.id.cmp(b.id))
            .then_with(|| a.subject.text.cmp(&b.subject.text))
    });
    let causes: Vec<Vec<usize>> =
        findings.iter().map(|effect| causes_of(effect, &findings, rules)).collect();
    let order = order(&causes);
    let mut place = vec![0; findings.len()];
    for (at, was) in order.iter().enumerate() {
        if let Some(place) = place.get_mut(*was) {
            *place = at;
        }
    }
    let mut told: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    let take = |was: &usize| {
        let mut finding = told.get_mut(*was)?.take()?;
        let own = causes.get(*was).into_iter().flatten();
        finding.caused_by = own.filter_map(|cause| place.get(*cause).copied()).collect();
        finding.caused_by.sort_unstable();
        Some(finding)
    };
    order.iter().filter_map(take).collect()
}

fn causes_of(effect: &Finding, all: &[Finding], rules: &[&'static Rule]) -> Vec<usize> {
    let Some(rule) = rules.iter().find(|rule| rule.id == effect.id) else { return vec![] };
    let is_cause = |cause: &Finding| {
        rule.caused_by.contains(&cause.id) && cause.subject.touches(&effect.subject)
    };
    all.iter().enumerate().filter(|(_, cause)| is_cause(cause)).map(|(at, _)| at).collect()
}

/// Each story where its worst member stands; within it causes first. Circles are cut where they
/// are met.
fn order(causes: &[Vec<usize>]) -> Vec<usize> {
    fn visit(at: usize, causes: &[Vec<usize>], order: &mut Vec<usize>, on_path: &mut Vec<usize>) {
        if order.contains(&at) || on_path.contains(&at) {
            return;
        }
        on_path.push(at);
        for cause in causes.get(at).into_iter().flatten() {
            visit(*cause, causes, order, on_path);
        }
        on_path.pop();
        order.push(at);
        // What this one causes follows it, before another story begins.
        for (effect, of) in causes.iter().enumerate() {
            let is_ready = of.iter().all(|cause| order.contains(cause) || *cause == at);
            if of.contains(&at) && is_ready {
                visit(effect, causes, order, on_path);
            }
        }
    }
    let mut order = vec![];
    for at in 0..causes.len() {
        visit(at, causes, &mut order, &mut vec![]);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_come_first_and_circles_end() {
        assert_eq!(order(&[vec![1], vec![2], vec![]]), [2, 1, 0]);
        assert_eq!(order(&[vec![], vec![], vec![0]]), [0, 2, 1]);
        assert_eq!(order(&[vec![1], vec![0]]).len(), 2);
        assert_eq!(order(&[vec![0]]), [0]);
    }
}
