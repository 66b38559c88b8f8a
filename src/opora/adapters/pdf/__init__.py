"""Profile sheets as PDF: a page that typst drew once, stamped with each person's words."""
