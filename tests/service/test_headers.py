"""What every answer carries, how a session is held, and what is believed of a network."""

from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import ValidationError

from service.access.people import add_person, people_in
from service.access.permissions import Role
from service.app import HEADERS, build_app
from service.cli.serve import serve
from service.cli.server import Reach
from service.deps import COOKIE, SAFE_COOKIE
from service.doors import doors_of
from service.errors import StudyError
from service.settings import Settings
from tests.conftest import NOW
from tests.service.officers import OWN, PASSWORD, two_studies
from tests.service.serving import give_accounts, port_of, serving

FORM = {"name": "Ada", "password": PASSWORD}
ELSEWHERE = "0.0.0.0"  # noqa: S104 - an address that others can reach
STREAM = "/studies/{name}/events"  # goes on for ever


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = two_studies(tmp_path_factory.mktemp("headers"))
    with people_in(made) as db:
        add_person(db, name="Ada", role=Role.LEAD, password=PASSWORD, now=NOW)
    return made


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[FastAPI]:
    app = build_app(folder)
    yield app
    app.state.pool.close()


def signed_in(app: FastAPI, scheme: str = "http") -> TestClient:
    client = TestClient(app, base_url=f"{scheme}://testserver", headers={"Origin": f"{scheme}://testserver"})
    assert client.post("/sign-in", data=FORM, follow_redirects=False).status_code == 303
    return client


@pytest.mark.parametrize("inside", [True, False])
def test_every_answer_carries_the_headers_errors_too(app: FastAPI, inside: bool) -> None:
    client = signed_in(app) if inside else TestClient(app, headers={"Origin": "http://testserver"})
    asked = [(d.method, d.path.replace("{name}", OWN)) for d in doors_of(app) if d.path not in (STREAM, "/sign-out")]
    asked += [
        ("GET", "/static/heard.css"),
        ("GET", "/static/none"),
        ("GET", "/nowhere"),
        ("PATCH", "/"),
        ("GET", "/v1/none"),
    ]
    missing = []
    for method, path in asked:
        answer = client.request(method, path.replace("{", "").replace("}", ""), follow_redirects=False)
        missing += [(method, path, name) for name in HEADERS if name not in answer.headers]
        assert "Strict-Transport-Security" not in answer.headers
        assert not {"server", "access-control-allow-origin"} & set(answer.headers)
    assert missing == []


def test_the_policy_lets_no_script_style_or_frame_of_others_in(app: FastAPI) -> None:
    policy = TestClient(app).get("/sign-in").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_over_tls_a_browser_keeps_to_it_and_the_cookie_is_tied_to_the_host(app: FastAPI) -> None:
    client = TestClient(app, base_url="https://testserver", headers={"Origin": "https://testserver"})

    answer = client.post("/sign-in", data=FORM, follow_redirects=False)

    assert answer.headers["Strict-Transport-Security"] == "max-age=63072000"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{SAFE_COOKIE}=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"))
    assert "domain" not in cookie.lower()
    assert client.get("/", follow_redirects=False).status_code == 200


def test_over_tls_a_cookie_that_another_site_of_the_domain_could_set_opens_nothing(app: FastAPI) -> None:
    token = signed_in(app).cookies[COOKIE]
    client = TestClient(app, base_url="https://testserver")

    client.cookies.set(COOKIE, token)

    assert client.get("/", follow_redirects=False).headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(("scheme", "name"), [("http", COOKIE), ("https", SAFE_COOKIE)])
def test_signing_out_ends_the_session_and_clears_what_the_browser_holds(app: FastAPI, scheme: str, name: str) -> None:
    client = signed_in(app, scheme)
    token = client.cookies[name]

    answer = client.post("/sign-out", follow_redirects=False)

    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert f'{name}=""' in answer.headers["set-cookie"]
    assert ("Secure" in answer.headers["set-cookie"]) is (scheme == "https")
    client.cookies.set(name, token)
    assert client.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "https://testserver"},
        {"Origin": "http://testserver:8080"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_that_was_not_sent_from_our_own_pages_changes_nothing(app: FastAPI, sent: dict[str, str]) -> None:
    client = TestClient(app, headers=sent)

    answer = client.post("/sign-in", data=FORM, follow_redirects=False)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_nothing_is_traced_or_listed(app: FastAPI) -> None:
    client = TestClient(app)

    assert client.request("TRACE", "/sign-in").status_code in (403, 405)
    assert client.get("/static/").status_code == 404


@pytest.mark.parametrize("host", ["elsewhere.example", "heard.example.org.evil.example", "127.0.0.1.evil.example"])
def test_under_another_name_nothing_answers(folder: Path, host: str) -> None:
    client = TestClient(build_app(folder, names=("heard.example.org",)))

    assert client.get("/sign-in", headers={"Host": host}).status_code == 400
    assert client.get("/sign-in", headers={"Host": "heard.example.org"}).status_code == 200


def test_settings_let_others_reach_the_pages_only_by_a_safe_way(tmp_path: Path) -> None:
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"

    assert Settings(host=ELSEWHERE, tls_cert=cert, tls_key=key).tls_cert == cert
    assert Settings(host=ELSEWHERE, behind_proxy=("10.0.0.5",)).behind_proxy == ("10.0.0.5",)
    with pytest.raises(ValidationError, match="HEARD_HOST must be 127.0.0.1"):
        Settings(host=ELSEWHERE)
    with pytest.raises(ValidationError, match="both HEARD_TLS_CERT and HEARD_TLS_KEY"):
        Settings(tls_cert=cert)


def test_a_settings_file_is_not_read_so_no_secret_lies_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("HEARD_KEY=secret\nHEARD_HOST=0.0.0.0\n", "utf-8")
    monkeypatch.chdir(tmp_path)

    assert (Settings().key, Settings().host) == (None, "127.0.0.1")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "heard test")])
    begin = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(begin - dt.timedelta(hours=1))
        .not_valid_after(begin + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip
    return cert_file, key_file


def test_the_pages_are_served_over_tls_with_a_certificate_of_ones_own(folder: Path, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(cert))

    with serving(folder, reach=Reach(tls_cert=cert, tls_key=key)) as server:
        here = f"https://127.0.0.1:{port_of(server)}"
        with httpx.Client(verify=trusting, headers={"Origin": here}, trust_env=False) as client:
            answer = client.post(f"{here}/sign-in", data=FORM)
            page = client.get(f"{here}/")

    assert answer.headers["set-cookie"].startswith(f"{SAFE_COOKIE}=")
    assert "Strict-Transport-Security" in page.headers
    assert page.status_code == 200


@pytest.mark.parametrize(("proxies", "believed"), [((), False), (("192.0.2.1",), False), (("127.0.0.1",), True)])
def test_only_a_proxy_that_was_named_is_believed(folder: Path, proxies: tuple[str, ...], believed: bool) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}

    with serving(folder, reach=Reach(proxies=proxies)) as server, httpx.Client(trust_env=False) as client:
        answer = client.get(f"http://127.0.0.1:{port_of(server)}/sign-in", headers=said)

    assert answer.status_code == 200
    assert ("Strict-Transport-Security" in answer.headers) is believed


def test_the_demos_accounts_are_not_shown_to_other_machines(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.wiring.settings", lambda: Settings(host=ELSEWHERE, behind_proxy=("10.0.0.5",)))
    shutil.copytree(folder, tmp_path / "studies")
    give_accounts(tmp_path / "studies")

    with pytest.raises(StudyError, match="whose password everybody knows"):
        serve(tmp_path / "studies")
