"""The web page: reads are rendered here, whatever changes something is sent to the API by the browser."""
