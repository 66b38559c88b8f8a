"""Document 2's table of numbers as a model of Django; imported once Django is configured."""

from django.db import models


class PhoneNumber(models.Model):
    """A number as document 2 writes it."""

    phone_number = models.CharField(max_length=20)
    project_id = models.BigIntegerField()
    provider_id = models.BigIntegerField()
    geo_id = models.BigIntegerField()
    status = models.CharField(max_length=50, default="new")
    call_attempts = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """Where the table lies."""

        app_label = "bench"
        managed = False
        db_table = "phone_numbers"
