"""What people see: Jinja2 templates and static files. A package so that it installs."""
