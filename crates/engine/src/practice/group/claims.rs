//! What the group's provisioning process claims: the accounts of those who left were disabled.

use super::super::calendar::on;
use super::mix::Mix;
use super::people::{last_day, name, number};
use super::sheet::Sheet;
use super::{Extent, File};
use chrono::TimeDelta;
use std::io;

pub(super) fn files(extent: &Extent) -> Vec<File> {
    vec![(
        "group-provisioning/tasks.csv",
        extent.left + extent.cloud_left,
        "id,system,event,identity_id,account_id,action,status,retries,requested_at,closed_at,closed_by,ticket",
        tasks,
    )]
}

fn tasks(extent: &Extent, sheet: &mut Sheet<'_>) -> io::Result<()> {
    let order: Mix = extent.order();
    let directory = (0..extent.left).map(|n| ("group-ad", n));
    let cloud = (0..extent.cloud_left).map(|n| ("group-cloud", n));
    for (task, (system, left)) in directory.chain(cloud).enumerate() {
        let rank = extent.active + left;
        let place = order.place(rank);
        let day = last_day(rank) + TimeDelta::days(1);
        sheet.row(format_args!(
            "GT{task:06},{system},leaver,{},{},disable_account,done,0,{},{},provisioning,GCHG-{task:06}",
            number(place),
            name(place).login,
            on(day, 0),
            on(day, 1),
        ))?;
    }
    Ok(())
}
