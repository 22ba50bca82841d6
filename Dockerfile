# spanloop with its dependencies as they were tested (constraints.txt). Settings come as SPANLOOP_… variables.
FROM python:3.11-slim-bookworm
COPY . /src
RUN pip install --no-cache-dir -c /src/constraints.txt /src \
    && rm -rf /src \
    && useradd --system --create-home --home-dir /var/lib/spanloop spanloop \
    && install -d -o spanloop -g spanloop /var/lib/spanloop/data
USER spanloop
WORKDIR /var/lib/spanloop
ENV SPANLOOP_DATA_DIR=/var/lib/spanloop/data
VOLUME /var/lib/spanloop/data
EXPOSE 4317 4318 17271
ENTRYPOINT ["spanloop"]
CMD ["serve"]
