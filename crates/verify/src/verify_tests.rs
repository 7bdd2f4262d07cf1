//! Nothing here yet is worth a mock: the tests of the verifier use real packages.
use super::*;
