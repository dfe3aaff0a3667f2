import { Logo } from './icons';

export const TopBar = () => (
  <header className="topbar">
    <a className="brand" href="/"><Logo />Millrace</a>
  </header>
);
