//! Takes findings along while the text around them is edited.

use wire::api::policy::Diagnostic;

/// The findings in `old`, at their places in `new`; those whose own text was
/// edited are left out.
pub(super) fn carried<'a>(
    findings: impl Iterator<Item = &'a Diagnostic>,
    old: &str,
    new: &str,
) -> Vec<Diagnostic> {
    let same = |(a, b): &(u8, u8)| a == b;
    let before = old.bytes().zip(new.bytes()).take_while(same).count();
    let most = old.len().min(new.len()) - before;
    let behind = old.bytes().rev().zip(new.bytes().rev());
    let behind = behind.take(most).take_while(same).count();
    let moved = |place: usize| (place + new.len()).saturating_sub(old.len());
    findings
        .filter_map(|finding| {
            let mut finding = finding.clone();
            if finding.start >= old.len() - behind {
                finding.start = moved(finding.start);
                finding.end = moved(finding.end);
            } else if finding.end > before {
                return None;
            }
            let (line, column) = policy::diagnostic::line_and_column(new, finding.start);
            (finding.line, finding.column) = (line, column);
            Some(finding)
        })
        .collect()
}
