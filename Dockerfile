# For machines without Python 3.11, and for platforms without PyBullet wheels; on ARM build and run
# with --platform linux/amd64, since neither wheel nor compiler is in the image.
# Untested: no image was built from this file in the project's own checks.
#
#   docker build -t voyager-skill-library .
#   docker run --rm -it -v voyager-home:/home/voyager/data voyager-skill-library learn 'lifted(block)' --param block=block
FROM python:3.11-slim

RUN useradd --create-home voyager && install -d -o voyager -g voyager /home/voyager/data
WORKDIR /opt/voyager
COPY pyproject.toml constraints.txt README.md LICENSE THIRD_PARTY.md ./
COPY voyager voyager
COPY skill_store skill_store
COPY curriculum curriculum
COPY env env
RUN pip install --no-cache-dir --constraint constraints.txt '.[semantic]' && rm -rf /opt/voyager

USER voyager
WORKDIR /home/voyager
ENV VOYAGER_HOME=/home/voyager/data
VOLUME /home/voyager/data
ENTRYPOINT ["voyager"]
