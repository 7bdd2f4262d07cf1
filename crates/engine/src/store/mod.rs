//! Where is it kept? Encrypted SQLite, one file per table; history kept. The only place with SQL.
