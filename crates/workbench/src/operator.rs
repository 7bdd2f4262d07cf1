//! Who acts, for the log: asked of the operating system, never of the environment, which whoever
//! starts the program writes.

/// The name of the account under which this process runs; its number where it has no name.
pub(crate) fn operator() -> String {
    named(whoami::username().ok())
}

fn named(name: Option<String>) -> String {
    name.filter(|name| !name.trim().is_empty())
        .unwrap_or_else(nameless)
}

#[cfg(unix)]
fn nameless() -> String {
    format!("uid {}", rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn nameless() -> String {
    "an account without a name".to_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::process::Command;

    fn id(argument: &str) -> String {
        let said = Command::new("id").args(["-u", argument]).output().unwrap();
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn whoever_acts_is_named_as_the_operating_system_does() {
        assert_eq!(operator(), id("-n"));
    }

    #[test]
    fn an_account_without_a_name_is_told_by_its_number() {
        let number = format!("uid {}", id("-r"));
        assert_eq!(named(None), number);
        assert_eq!(named(Some(" ".to_owned())), number);
    }
}
