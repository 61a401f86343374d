"""The web app: `streamlit run app.py`."""

from explorer.ui.shell import main

main()
