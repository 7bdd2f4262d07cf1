//! What a crash may leave behind of this process: nothing.

/// Switches core dumps off for this process and for those it starts. To be called first thing in
/// `main`. Where a system does not know the switch, that is as good as it gets; the limit and
/// what it does not cover are in SECURITY.md.
pub fn leave_no_core() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _as_good_as_it_gets = setrlimit(Resource::Core, none);
    }
    // A limit does not hold where the system hands dumps to a program; this does. It also keeps
    // other processes of the same person from reading our memory.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _as_good_as_it_gets = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
