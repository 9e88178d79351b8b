"""Descriptions turned into HTML that is safe to show; hostile ones use a lot of processor time.

``pypi.publishing.descriptions`` runs ``markup.render`` in processes of their own (``rendering.child``).
"""
