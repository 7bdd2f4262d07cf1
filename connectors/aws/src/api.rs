//! The services of AWS that are asked, and whom AWS takes us for.

use crate::error::{Got, SERVER, got};
use crate::json::Json;
use crate::settings::Cloud;
use crate::signin::{Maker, asking};
use crate::wire::Wire;
use aws_credential_types::provider::SharedCredentialsProvider;
use lastkey_contract::{ConnectorError, ErrorKind, Secret};

/// Open clients.
pub struct Api {
    pub cloud: Cloud,
    pub iam: aws_sdk_iam::Client,
    pub json: Json,
    sts: aws_sdk_sts::Client,
    address: String,
}

/// Whom AWS takes us for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Myself {
    pub account: String,
    pub arn: String,
    /// `aws`, `aws-cn`, `aws-us-gov`
    pub partition: String,
}

impl Api {
    pub fn new(cloud: &Cloud, secret: Option<Secret>) -> Api {
        let wire = Wire::new(cloud);
        let maker = Maker::new(cloud, &wire, secret);
        let provider = SharedCredentialsProvider::new(maker.clone());
        let home = asking(cloud, &wire, cloud.home(), Some(provider));
        Api {
            iam: aws_sdk_iam::Client::new(&home),
            sts: aws_sdk_sts::Client::new(&home),
            json: Json::new(cloud, &wire, maker),
            address: cloud.address(),
            cloud: cloud.clone(),
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Who we are; what is wrong with signing in is said here, before anything is read.
    pub async fn myself(&self) -> Result<Myself, ConnectorError> {
        let operation = "sts:GetCallerIdentity";
        let sent = self.sts.get_caller_identity().send().await;
        let found = match got(self.address(), operation, sent)? {
            Got::Found(found) => found,
            Got::Refused(_) | Got::Absent => {
                let what = "AWS does not say who this login is";
                let error =
                    ConnectorError::new(ErrorKind::Forbidden, self.address(), operation, what);
                return Err(error.hint(
                    "check the policies over this login; this request needs no right of its own",
                ));
            }
        };
        let (Some(account), Some(arn)) = (found.account, found.arn) else {
            return Err(SERVER.odd(self.address(), operation, "it names nobody"));
        };
        let partition = arn.split(':').nth(1).unwrap_or("aws").to_owned();
        Ok(Myself {
            account,
            arn,
            partition,
        })
    }
}
