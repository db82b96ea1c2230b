"""What gunicorn, Elastic Beanstalk and `flask run` look for: the WSGI callable `application`."""

from web import create_app

application = create_app()
