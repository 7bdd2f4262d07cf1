"""serve.py PORT CERT KEY PLAN: answers as AWS documents it, in what moto leaves out.

PLAN is a JSON file: "users" and "roles" are names; "policy" is the first user's own, "tags" stand on every
user; "people" is how many users of Identity Center there are and "bytes" how long a text each carries;
"answers" maps an action of a service in JSON to its whole answer, or to pairs of a text that the question holds
and its answer; "rules" maps an action, or "*" for every one but GetCallerIdentity, to what becomes of it: "denied", "throttled", "down",
"garbled", "cut", "skewed", "expired", "loop" (a place that comes twice), "lost" (more is there and no place
is named), "gone" (users are removed after they were listed). Lists have two members a page, whatever is
asked for (Identity Center's 100, as AWS does). The access key AKIAINACTIVE00000000 is inactive, and refused.
A role is given on to whoever names the external id x-17, and by SSO for the token signed-in; its keys hold with
their own session token alone. Each action goes to stderr.
Ends with its parent (see labs/ends.rs).
"""

import base64
import json
import re
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape

ACCOUNT = "111122223333"
PAGE = 2
ROLE = {
    "AccessKeyId": "ASIAROLE000000000000",
    "SecretAccessKey": "canary-of-the-roles-secret",
    "SessionToken": "canary-of-the-roles-session",
}


def plan():
    with open(sys.argv[4], encoding="utf-8") as file:
        return json.load(file)


def rule(action):
    rules = plan()["rules"]
    for_all = "" if action == "GetCallerIdentity" else rules.get("*", "")
    return rules.get(action, for_all)


def user_id(name):
    return "AIDA" + name.upper().replace("-", "").ljust(16, "0")


def page(items, place, action):
    """The members of a page, and where the next begins."""
    start = int(place or 0)
    if rule(action) == "loop":
        return items[start : start + PAGE], "0"
    end = start + PAGE
    return items[start:end], (str(end) if end < len(items) else None)


def members(name, items):
    return f"<{name}>" + "".join(f"<member>{item}</member>" for item in items) + f"</{name}>"


def tail(place, action):
    if place is None:
        return "<IsTruncated>false</IsTruncated>"
    if rule(action) == "lost":
        return "<IsTruncated>true</IsTruncated>"
    return f"<IsTruncated>true</IsTruncated><Marker>{place}</Marker>"


def xml(action, asked):
    place = asked.get("Marker", [None])[0]
    name = asked.get("UserName", [""])[0]
    date = "<CreateDate>2026-01-02T03:04:05Z</CreateDate>"

    def of(user):
        arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
        return f"<Path>/</Path><UserName>{user}</UserName><UserId>{user_id(user)}</UserId><Arn>{arn}</Arn>{date}"

    if action == "AssumeRole":
        ends = "<Expiration>2099-01-01T00:00:00Z</Expiration>"
        return f"<Credentials>{''.join(f'<{k}>{v}</{k}>' for k, v in ROLE.items())}{ends}</Credentials>"
    if action == "GetCallerIdentity" and asked["by"] == ROLE["AccessKeyId"]:
        return f"<UserId>AROAREADER:lastkey</UserId><Account>{ACCOUNT}</Account><Arn>arn:aws:sts::{ACCOUNT}:assumed-role/reader/lastkey</Arn>"
    if action == "GetCallerIdentity":
        return f"<UserId>AIDAREADER</UserId><Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:user/user-0</Arn>"
    if action == "GetAccountAuthorizationDetails":
        now = plan()
        first = now["users"][0] if now["users"] else ""
        tags = [f"<Key>{escape(k)}</Key><Value>{escape(v)}</Value>" for k, v in now["tags"].items()]

        def held(user):
            if user != first:
                return ""
            document = quote(json.dumps(now["policy"]))
            return members(
                "UserPolicyList",
                [f"<PolicyName>own-{n}</PolicyName><PolicyDocument>{document}</PolicyDocument>" for n in range(4)],
            )

        def role(name):
            arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
            trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
            used = "<RoleLastUsed><LastUsedDate>2026-05-06T07:08:09Z</LastUsedDate></RoleLastUsed>"
            return (
                f"<Path>/</Path><RoleName>{name}</RoleName><RoleId>{user_id(name).replace('AIDA', 'AROA')}</RoleId>"
                f"<Arn>{arn}</Arn>{date}<AssumeRolePolicyDocument>{quote(json.dumps(trust))}</AssumeRolePolicyDocument>{used}"
            )

        listed, place = page([("u", n) for n in now["users"]] + [("r", n) for n in now["roles"]], place, action)
        users = [of(n) + members("Tags", tags) + held(n) for kind, n in listed if kind == "u"]
        roles = [role(n) for kind, n in listed if kind == "r"]
        return members("UserDetailList", users) + members("RoleDetailList", roles) + tail(place, action)
    if action == "ListUsers":
        listed, place = page(plan()["users"], place, action)
        used = "<PasswordLastUsed>2026-02-03T04:05:06Z</PasswordLastUsed>"
        return members("Users", [of(user) + used for user in listed]) + tail(place, action)
    if action == "GetAccountSummary":
        return (
            "<SummaryMap><entry><key>AccountMFAEnabled</key><value>1</value></entry>"
            "<entry><key>AccountAccessKeysPresent</key><value>1</value></entry></SummaryMap>"
        )
    if action == "ListAccessKeys":
        if rule(action) == "gone":
            return None
        number = name.rsplit("-", 1)[-1]
        keys = [f"AKIAON{number:0>14}", f"AKIAOFF{number:0>13}"]
        status = ["Active", "Inactive"]
        made = [
            f"<UserName>{name}</UserName><AccessKeyId>{key}</AccessKeyId><Status>{now}</Status>{date}"
            for key, now in zip(keys, status)
        ]
        return members("AccessKeyMetadata", made) + tail(None, action)
    if action == "GetAccessKeyLastUsed":
        return (
            "<AccessKeyLastUsed><LastUsedDate>2026-03-04T05:06:07Z</LastUsedDate>"
            "<ServiceName>s3</ServiceName><Region>eu-west-1</Region></AccessKeyLastUsed>"
        )
    if action == "GetCredentialReport":
        report = (
            "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active\n"
            f"<root_account>,arn:aws:iam::{ACCOUNT}:root,2020-01-01T00:00:00+00:00,not_supported,2026-01-02T03:04:05+00:00,true,true\n"
        )
        content = base64.b64encode(report.encode()).decode()
        return f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat><GeneratedTime>2026-01-01T00:00:00Z</GeneratedTime>"
    if action == "GetLoginProfile":
        return None
    empty = {
        "ListMFADevices": "MFADevices",
        "ListSigningCertificates": "Certificates",
        "ListSSHPublicKeys": "SSHPublicKeys",
        "ListServiceSpecificCredentials": "ServiceSpecificCredentials",
        "ListServerCertificates": "ServerCertificateMetadataList",
        "ListSAMLProviders": "SAMLProviderList",
        "ListOpenIDConnectProviders": "OpenIDConnectProviderList",
    }
    if action in empty:
        return f"<{empty[action]}></{empty[action]}>" + tail(None, action)
    raise ValueError(action)


def told(target, asked):
    action = target.rsplit(".", 1)[-1]
    own = plan()["answers"].get(action)
    if isinstance(own, list):
        # Pairs of a text that the question holds and its answer.
        own = next((answer for holds, answer in own if holds in json.dumps(asked, sort_keys=True)), None)
    if own is not None:
        return own
    if action == "ListSecrets":
        names = [f"db/{number}" for number in range(5)]
        listed, place = page(names, asked.get("NextToken"), action)
        arn = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:"
        answer = {"SecretList": [{"Name": name, "ARN": f"{arn}{name}-a1b2c3"} for name in listed]}
        return answer if place is None else {**answer, "NextToken": place}
    now = plan()
    if action == "ListUsers":
        start = int(asked.get("NextToken") or 0)
        end = min(start + 100, now["people"])
        listed = [
            {"UserId": f"{n:08}", "UserName": f"person-{n}", "UserStatus": "ENABLED", "Title": "x" * now["bytes"]}
            for n in range(start, end)
        ]
        return {"Users": listed} if end == now["people"] else {"Users": listed, "NextToken": str(end)}
    center = {"InstanceArn": "arn:aws:sso:::instance/ssoins-1", "IdentityStoreId": "d-1"}
    answers = {
        "ListInstances": {"Instances": [center] if now["people"] else []},
        "ListGroups": {"Groups": []},
        "ListPermissionSets": {"PermissionSets": []},
        "DescribeParameters": {"Parameters": []},
        "ListSecretVersionIds": {"Versions": []},
        "GetResourcePolicy": {},
    }
    return answers[action]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two packets, and the second would wait for the first to be acknowledged.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def give(self, status, body, kind, claimed=None, code=None):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("x-amzn-RequestId", "lab-request")
        if code:
            self.send_header("x-amzn-ErrorType", code)
        self.send_header("Content-Length", str(claimed or len(body)))
        self.end_headers()
        self.wfile.write(body)
        if claimed:
            self.close_connection = True

    def refuse(self, json_service, status, code, message):
        if json_service:
            self.give(status, json.dumps({"__type": code, "message": message}), "application/x-amz-json-1.1")
            return
        text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>lab</RequestId></ErrorResponse>"
        self.give(status, text, "text/xml")

    def do_GET(self):
        """The portal of SSO, which is asked with the token of a sign-in and no signature."""
        path = urlsplit(self.path)
        asked = parse_qs(path.query)
        whole = path.path == "/federation/credentials" and asked.get("account_id") == [ACCOUNT]
        if self.headers.get("x-amz-sso_bearer_token") != "signed-in" or "Authorization" in self.headers:
            return self.give(401, json.dumps({"message": "Session token not found or invalid"}), "application/json", code="UnauthorizedException")
        if not whole or asked.get("role_name") != ["Reader"]:
            return self.give(403, json.dumps({"message": "No access"}), "application/json", code="ForbiddenException")
        made = {key[0].lower() + key[1:]: value for key, value in ROLE.items()}
        return self.give(200, json.dumps({"roleCredentials": {**made, "expiration": 4070908800000}}), "application/json")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        target = self.headers.get("X-Amz-Target")
        asked = json.loads(body or "{}") if target else parse_qs(body)
        action = target.rsplit(".", 1)[-1] if target else asked["Action"][0]
        key = re.search(r"Credential=([A-Z0-9]+)/", self.headers.get("Authorization", ""))
        if not key or key[1] == "AKIAINACTIVE00000000":
            code = "UnrecognizedClientException" if target else "InvalidClientTokenId"
            return self.refuse(target, 403, code, "The security token included in the request is invalid.")
        if key[1] == ROLE["AccessKeyId"] and self.headers.get("X-Amz-Security-Token") != ROLE["SessionToken"]:
            return self.refuse(target, 403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        asked["by"] = key[1]
        sys.stderr.write(f"asked {action}\n")
        sys.stderr.flush()
        what = rule(action)
        if what == "denied":
            code = "AccessDeniedException" if target else "AccessDenied"
            return self.refuse(target, 403, code, f"user is not authorized to perform: {action}")
        if what == "throttled":
            return self.refuse(target, 400, "Throttling", "Rate exceeded")
        if what == "down":
            return self.give(503, "", "text/xml")
        if what == "skewed":
            return self.refuse(target, 403, "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z")
        if what == "expired":
            return self.refuse(target, 403, "ExpiredToken", "The security token included in the request is expired")
        if what == "garbled":
            return self.give(200, "<html><body>Please sign in</body></html>", "text/html")
        if action == "AssumeRole" and asked.get("ExternalId") != ["x-17"]:
            return self.refuse(target, 403, "AccessDenied", f"user is not authorized to perform: sts:{action}")
        if action == "DescribeOrganization" and action not in plan()["answers"]:
            return self.refuse(target, 400, "AWSOrganizationsNotInUseException", "no organization")
        if target:
            return self.give(200, json.dumps(told(target, asked)), "application/x-amz-json-1.1")
        result = xml(action, asked)
        if result is None:
            return self.refuse(target, 404, "NoSuchEntity", "cannot be found")
        text = f"<{action}Response><{action}Result>{result}</{action}Result><ResponseMetadata><RequestId>lab</RequestId></ResponseMetadata></{action}Response>"
        if what == "cut":
            return self.give(200, text[: len(text) // 2], "text/xml", len(text))
        return self.give(200, text, "text/xml")


def main():
    port, certificate, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main()
