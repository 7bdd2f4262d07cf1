//! The words of `lastkey rehearse events`.

use clap::Args;

/// Events, played in the order of their times.
#[derive(Debug, Args)]
pub struct Events {
    /// kind=KIND,identity=ID,at=TIME and, where wanted, source=NAME|*, shown=status|gone|end_date|nothing, and columns as they are afterwards (department=Sales); repeat for more
    #[arg(long = "event", value_name = "EVENT", required = true)]
    pub events: Vec<String>,
    /// Save it under this name, to compare it later (`lastkey rehearsal`)
    #[arg(long, value_name = "NAME", value_parser = crate::args::not_blank)]
    pub save: Option<String>,
}
