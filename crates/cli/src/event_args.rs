//! The words of `lastkey rehearse events`.

use clap::Args;

/// Events, played in the order of their times.
#[derive(Debug, Args)]
pub struct Events {
    /// kind=KIND,identity=ID,at=TIME and, where wanted, source=NAME|*, shown=status|gone|end_date|nothing, and columns as they are afterwards (department=Sales); repeat for more
    #[arg(long = "event", value_name = "EVENT", required = true)]
    pub events: Vec<String>,
}
