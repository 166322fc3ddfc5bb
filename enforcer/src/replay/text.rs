//! A replay line for people: what `--json` says, on one line of a terminal.

use std::fmt;

use super::line::Line;

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time.as_deref().unwrap_or("-");
        write!(f, "{:>6} {time} {} > {} {}", self.frame, self.src, self.dst, self.protocol)?;
        if let Some(role) = self.role {
            write!(f, " {role}")?;
        }
        match (self.name, self.function) {
            (Some(name), _) => write!(f, " {name}")?,
            (None, Some(function)) => write!(f, " function {function}")?,
            (None, None) => {}
        }
        if let Some(unit) = self.unit {
            write!(f, " unit {unit}")?;
        }
        for object in self.objects.iter().flatten() {
            write!(f, " {}:{}-{}", object.space, object.first, object.last)?;
        }
        if let Some(values) = self.values {
            write!(f, " values {}-{}", values.min, values.max)?;
        }
        if let Some(exception) = self.exception {
            write!(f, " exception {exception}")?;
        }
        write!(f, "  {}", self.verdict)?;
        match (self.conduit, self.rule) {
            (Some(conduit), Some(rule)) => write!(f, " {conduit}/{rule}")?,
            (Some(conduit), None) => write!(f, " {conduit}")?,
            (None, _) => {}
        }
        write!(f, " {} -> {}", self.reason, self.action)?;
        if let Some(fault) = self.fault {
            write!(f, " [{fault}]")?;
        }
        if self.uncertain {
            write!(f, " [uncertain]")?;
        }
        if self.retransmission {
            write!(f, " [retransmission]")?;
        }
        if let Some(cut) = self.truncated {
            write!(f, " [{} of {} bytes captured]", cut.captured, cut.original)?;
        }
        Ok(())
    }
}
